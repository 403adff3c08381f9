"""Sequences of examples that are made on access, and slices of them that stay lazy.

Studies take a handful of a dataset of thousands: neither a length nor a slice may draw a picture.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import overload

from latentlab.data.example import Example

CACHED_BYTES = 2**30
"""Pictures are kept in memory up to this many bytes."""

Maker = Callable[[], Example]
"""Makes one example when it is asked for."""


class Examples(Sequence[Example]):
    """Base of every dataset: a subclass has a length and makes one example at a time."""

    @abstractmethod
    def make(self, index: int) -> Example:
        """Make the example at `index`, which lies from 0 to the length less one."""

    def worded(self, index: int) -> Example:
        """The example at `index` for its words: without its picture, where that has to be read."""
        return self.make(index)

    @property
    def left_out(self) -> Sequence[str]:
        """Why examples of the source are not among these, one line each; empty for most sources."""
        return ()

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> Examples: ...

    def __getitem__(self, index: int | slice) -> Example | Examples:
        """One example (negative indices count from the end), or a lazy selection of them.

        Raises:
            IndexError: There is no such example.
        """
        positions = range(len(self))[index]
        return self.make(positions) if isinstance(positions, int) else Subset(self, positions)


class Subset(Examples):
    """Some examples of another sequence, in a given order."""

    def __init__(self, source: Examples, positions: Sequence[int]) -> None:
        """Select `positions` of `source`."""
        self._source = source
        self._positions = positions

    @property
    def left_out(self) -> Sequence[str]:
        """What the source left out."""
        return self._source.left_out

    def __len__(self) -> int:
        """Number of selected examples."""
        return len(self._positions)

    def worded(self, index: int) -> Example:
        """The selected example at `index` for its words."""
        return self._source.worded(self._positions[index])

    def make(self, index: int) -> Example:
        """Make the selected example at `index`."""
        return self._source[self._positions[index]]


class LazyExamples(Examples):
    """Examples that are made by functions of their own."""

    def __init__(self, makers: Sequence[Maker]) -> None:
        """Keep one function for each example."""
        self._makers = makers

    def __len__(self) -> int:
        """Number of examples."""
        return len(self._makers)

    def make(self, index: int) -> Example:
        """Call the function at `index`."""
        return self._makers[index]()


class CachedExamples(Examples):
    """Examples that are made once, as long as their pictures fit into memory.

    A study goes through its examples once for each model, and drawing or decoding a picture may
    cost more than a small model's answer to it.
    """

    def __init__(self, source: Examples, limit: int = CACHED_BYTES) -> None:
        """Keep nothing yet."""
        self._source = source
        self._left = limit
        self._kept: dict[int, Example] = {}

    @property
    def left_out(self) -> Sequence[str]:
        """What the source left out."""
        return self._source.left_out

    def __len__(self) -> int:
        """Number of examples."""
        return len(self._source)

    def make(self, index: int) -> Example:
        """Return the kept example at `index`, or make it."""
        if index in self._kept:
            return self._kept[index]
        example = self._source[index]
        size = 3 * example.image.width * example.image.height if example.image else 0
        if size <= self._left:
            self._left -= size
            self._kept[index] = example
        return example

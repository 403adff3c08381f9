"""Sequences of examples that are made on access, and slices of them that stay lazy.

Studies take a handful of a dataset of thousands: neither a length nor a slice may draw a picture.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import overload

from latentlab.data.example import Example


class Examples(Sequence[Example]):
    """Base of every dataset: a subclass has a length and makes one example at a time."""

    @abstractmethod
    def make(self, index: int) -> Example:
        """Make the example at `index`, which lies from 0 to the length less one."""

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
        return self.make(positions) if isinstance(positions, int) else Selection(self, positions)


class Selection(Examples):
    """Some examples of another sequence, in a given order."""

    def __init__(self, source: Examples, positions: Sequence[int]) -> None:
        """Select `positions` of `source`."""
        self._source = source
        self._positions = positions

    def __len__(self) -> int:
        """Number of selected examples."""
        return len(self._positions)

    def make(self, index: int) -> Example:
        """Make the selected example at `index`."""
        return self._source[self._positions[index]]

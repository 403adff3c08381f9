"""Examples that cannot be used: left out and counted, so that one of them never loses a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from latentlab.data.example import Example
from latentlab.data.sequence import Examples, Subset
from latentlab.errors import UserError


class LeftOut:
    """Collects why examples are left out, or stops at the first of them."""

    def __init__(self, strict: bool) -> None:
        """Begin with none.

        Args:
            strict: Whether to stop at the first.
        """
        self._strict = strict
        self._reasons: list[str] = []

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why, and where, in the order in which they were found."""
        return tuple(self._reasons)

    def add(self, reason: str) -> None:
        """Leave one out.

        Raises:
            UserError: None may be left out.
        """
        if self._strict:
            raise UserError(reason)
        self._reasons.append(reason)


def sound(
    examples: Examples, strict: bool, scored: bool = True
) -> tuple[Examples, tuple[str, ...]]:
    """Make every example once, and leave out those that cannot be made or scored.

    Only decoding tells that a picture is whole, so all of them are decoded here, before a model is
    asked anything: nothing can be missing in the middle of a run then, and every arm and process
    sees the same examples. It costs a few milliseconds a picture (docs/data.md).

    Args:
        examples: What is to be asked.
        strict: Whether to stop at the first bad one.
        scored: Whether a question of which no answer can be told right from wrong is bad.

    Returns:
        The sound ones in their order, and why each of the others is left out.

    Raises:
        UserError: `strict`, and one is bad.
    """
    left, kept = LeftOut(strict), []
    for i in range(len(examples)):
        try:
            example = examples[i]
            if scored:
                _check_scored(example)
        except UserError as error:
            left.add(str(error))
        else:
            kept.append(i)
    return (examples if not left.reasons else Subset(examples, kept)), left.reasons


def readable(examples: Examples) -> Iterator[Example]:
    """Make the examples one by one, without those that cannot be made."""
    for i in range(len(examples)):
        try:
            example = examples[i]
        except UserError:
            continue
        yield example


class Substituted(Examples):
    """Examples among which the next one that can be made stands in for one that cannot.

    Training goes through its data many times and in an order that must not depend on what is found
    on the way, so that places are kept and no picture is decoded beforehand.
    """

    def __init__(self, source: Examples, tell: Callable[[str], None]) -> None:
        """Keep the source.

        Args:
            source: What may hold examples that cannot be made, or have no answer.
            tell: Told, once for each of them, which one and why.
        """
        self._source = source
        self._tell = tell
        self._told: set[int] = set()

    @property
    def left_out(self) -> Sequence[str]:
        """What the source left out."""
        return self._source.left_out

    def __len__(self) -> int:
        """Number of examples, with those that another one stands in for."""
        return len(self._source)

    def worded(self, index: int) -> Example:
        """The example at `index` for its words, whether or not another one stands in for it."""
        return self._source.worded(index)

    def make(self, index: int) -> Example:
        """Make the example at `index`, or the next one that can be made.

        Raises:
            UserError: None can be made.
        """
        for at in (*range(index, len(self)), *range(index)):
            try:
                example = self._source.make(at)
                if not example.answer:
                    raise UserError(f"example {example.id} has no known answer")
            except UserError as error:
                if at not in self._told:
                    self._told.add(at)
                    self._tell(f"{error}; the next example stands in for it")
                continue
            return example
        raise UserError("none of the examples can be used")


def _check_scored(example: Example) -> None:
    """Refuse a question of which no answer can be told right from wrong."""
    if not (example.choices and example.answer):
        lacking = "choices" if not example.choices else "known answer"
        raise UserError(
            f"example {example.id} has no {lacking}, so an answer to it cannot be scored"
        )

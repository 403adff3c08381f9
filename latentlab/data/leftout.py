"""Examples that cannot be used: left out and counted, so that one of them never loses a run."""

from __future__ import annotations

from collections.abc import Iterator

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


def _check_scored(example: Example) -> None:
    """Refuse a question of which no answer can be told right from wrong."""
    if not (example.choices and example.answer):
        lacking = "choices" if not example.choices else "known answer"
        raise UserError(
            f"example {example.id} has no {lacking}, so an answer to it cannot be scored"
        )

"""What a study asks, and what it only refers to: no example is both."""

from dataclasses import dataclass

from latentlab.console import note
from latentlab.data import CachedExamples, Examples, load_data
from latentlab.errors import UserError

FEWEST = 2
"""References that a deviation takes at least."""


@dataclass(frozen=True)
class Division:
    """Examples of a study: none is both evaluated and a reference."""

    evaluated: Examples
    """What models are asked."""

    references: Examples
    """What means, deviations and donors are taken from."""


def divide(data: str, seed: int, limit: int, most: int) -> Division:
    """Set references apart from what is evaluated, the same ones at every call.

    They are the examples after the limit. Where the data have none, they are of another split;
    where there is none, the last quarter of the examples is held back. The latter two are told.

    Args:
        data: the spec of the data.
        seed: seed of what is generated.
        limit: examples to evaluate at most.
        most: references at most; 0 divides nothing.

    Raises:
        UserError: there are fewer than three examples, two for reference and one to evaluate.
    """
    whole = load_data(data, seed=seed)
    evaluated = whole[:limit]
    if not most or len(whole) >= limit + FEWEST:
        return Division(evaluated, CachedExamples(whole[limit : limit + most]))
    asked = {example.id for example in evaluated}
    for split in ("validation", "train"):
        others = load_data(data, split, seed, most)
        # Data without that split, or with a spec that names one, give the same examples again.
        if len(others) >= FEWEST and not any(example.id in asked for example in others):
            note(f"{data}: references are {len(others)} examples of the {split} split")
            return Division(evaluated, CachedExamples(others))
    held = min(most, max(FEWEST, len(whole) // 4))
    left = len(whole) - held
    if left < 1:
        raise UserError(
            f"{data} has {len(whole)} examples, but this takes two for reference and one to "
            "evaluate at least"
        )
    note(f"{data}: the last {held} of {len(whole)} examples are references and not evaluated")
    return Division(whole[: min(left, limit)], CachedExamples(whole[left:]))


def check_examples(examples: Examples) -> None:
    """Open every example, and refuse one whose answer cannot be told right from wrong.

    Raises:
        UserError: an example has no choices or no known answer, or its picture cannot be read.
    """
    for i in range(len(examples)):
        example = examples[i]
        if not (example.choices and example.answer):
            lacking = "choices" if not example.choices else "known answer"
            raise UserError(
                f"example {example.id} has no {lacking}, so an answer to it cannot be scored"
            )

"""What a study asks, and what it only refers to: no example is both, and each can be scored."""

from dataclasses import dataclass
from typing import Any

from latentlab.command import CommonConfig
from latentlab.console import note
from latentlab.data import CachedExamples, Examples, readable, sound
from latentlab.data.splits import MissingSplitError
from latentlab.errors import UserError
from latentlab.study.asked import load_for, tell_left_out

RECORDED = 20
"""Reasons that a run's record holds in full."""

FEWEST = 2
"""References that a deviation takes at least."""


@dataclass(frozen=True)
class Division:
    """Examples of a study: none is both evaluated and a reference."""

    evaluated: Examples
    """What models are asked."""

    references: Examples
    """What means, deviations and donors are taken from."""

    left_out: tuple[str, ...] = ()
    """Why examples are in neither that would have been, one line each."""

    @property
    def record(self) -> dict[str, Any]:
        """How many examples are left out, and why the first of them are, for the run's record."""
        return {"examples": len(self.left_out), "first": list(self.left_out[:RECORDED])}


def divide(config: CommonConfig, most: int) -> Division:
    """Set references apart from what is evaluated, the same ones at every call.

    They are the examples after the limit. Where the data have none, they are of another split;
    where there is none, the last quarter of the examples is held back. The latter two are told.

    Examples that cannot be used are left out, told and counted. Rows that are no examples are
    known before the limit is taken; an example whose picture cannot be read, or that cannot be
    scored, leaves its place empty.

    Args:
        config: flags that say which examples, and how many of them to evaluate at most.
        most: references at most; 0 divides nothing.

    Raises:
        UserError: there are fewer than three examples, two for reference and one to evaluate; none
            to evaluate can be used; or `--strict`, and one cannot.
    """
    whole = CachedExamples(load_for(config))
    evaluated, references = _parts(config, whole, most)
    asked, unasked = sound(evaluated, config.strict)
    lent, unlent = sound(references, config.strict)
    reasons = tuple(dict.fromkeys((*whole.left_out, *references.left_out, *unasked, *unlent)))
    if not len(asked):
        raise UserError(f"{config.data}: no example of {len(evaluated)} can be used; {unasked[0]}")
    tell_left_out(config.data, reasons)
    return Division(asked, lent, reasons)


def _parts(config: CommonConfig, whole: Examples, most: int) -> tuple[Examples, Examples]:
    """What is evaluated and what is referred to, bad examples among them."""
    data, limit = config.data, config.limit
    evaluated = whole[:limit]
    if not most or len(whole) >= limit + FEWEST:
        return evaluated, whole[limit : limit + most]
    asked = {example.id for example in readable(evaluated)}
    for split in ("validation", "train"):
        try:
            others = CachedExamples(load_for(config, split, most))
        except MissingSplitError:
            continue
        # Data without that split, or with a spec that names one, give the same examples again.
        if len(others) >= FEWEST and asked.isdisjoint(one.id for one in readable(others)):
            note(f"{data}: references are {len(others)} examples of the {split} split")
            return evaluated, others
    held = min(most, max(FEWEST, len(whole) // 4))
    left = len(whole) - held
    if left < 1:
        raise UserError(
            f"{data} has {len(whole)} examples, but this takes two for reference and one to "
            "evaluate at least"
        )
    note(f"{data}: the last {held} of {len(whole)} examples are references and not evaluated")
    return whole[: min(left, limit)], whole[left:]

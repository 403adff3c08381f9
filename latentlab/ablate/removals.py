"""What an arm costs under each rule of positions, and whether that says anything of content.

The content is gone whether later positions are held, closed up, or the slots are kept empty. A loss
that one of these brings and another does not is therefore no loss of content: a hole in the
positions, an answer that has moved, or slots that hold nothing a model knows cost something too. A
conclusion about content is drawn only where all of them agree.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import pandas as pd

from latentlab.ablate.amounts import lost, numbers, smallest, verdict
from latentlab.vocabulary import PositionRule

if TYPE_CHECKING:
    from latentlab.ablate.amounts import Line

    Ways = Mapping[str, Line]

WORDS: dict[str, str] = {"held": "held", "closed": "closed up", "kept": "kept empty"}
"""What becomes of positions, as sentences say it."""

UNTOLD = ": too uncertain to tell harm from none"
"""Ends a clause on an effect that may be there or not."""

_CAUSES = {
    frozenset({"held", "closed"}): "the slots and not of what they hold",
    frozenset({"kept"}): "what stands in empty slots and not of the content",
}
"""What an effect is a matter of that only these rules bring; any others: positions."""


def ways_of(line: "Line", lines: pd.DataFrame) -> "Ways":
    """The lines that remove the same as an arm, by what becomes of positions; at least its own."""
    if not line["positions"]:
        return {"": line}
    alike = (lines["intervention"] == line["intervention"]) | (
        lines["control_of"] == line["intervention"]
    )
    found = {way["positions"]: way for _, way in lines[alike].iterrows()}
    rules: tuple[PositionRule, ...] = get_args(PositionRule)
    return {rule: found[rule] for rule in rules if rule in found}


@dataclass(frozen=True)
class Done:
    """What was done to a model, and how that came out."""

    what: str
    """As the end of a clause on what it costs."""

    ways: "Ways"
    """Its lines, by what becomes of positions."""

    beside: str = ""
    """What its controls cost."""


def effects(arms: Iterable[Done]) -> str:
    """What arms cost, and what that is a matter of; what comes out alike is told together.

    Of the rules of positions that bring an effect the least is told, and of the others the most;
    the rest is in the table.
    """
    groups: dict[tuple[str, str], list[tuple[str, list[Line]]]] = {}
    for arm in arms:
        start, item, ending, untold = _effect(arm)
        groups.setdefault((start, ending), []).append((item, untold))
    told = []
    for (start, ending), items in groups.items():
        first, *more = [item for item, _ in items]
        text = joined([first, *(item.replace(" points [", " [", 1) for item in more)], "and")
        unseen = smallest(*(line for _, untold in items for line in untold))
        told.append(f"{start} {text}{f' ({unseen})' if unseen else ''}{ending}")
    return "; ".join(told)


def depends(ways: "Ways") -> bool:
    """Whether harm is seen under some rules of positions and not under all."""
    harmful = [verdict(line) == "harm" for line in ways.values()]
    return any(harmful) and not all(harmful)


def joined(words: Sequence[str], last: str) -> str:
    """Words in a row, with `last` before the last of them."""
    *first, end = words
    return f"{', '.join(first)} {last} {end}" if first else end


def _effect(arm: Done) -> tuple[str, str, str, list["Line"]]:
    """How a clause starts, what is told of the arm alone, how it ends, and lines left untold."""
    what, ways = arm.what, arm.ways
    verdicts = {rule: verdict(line) for rule, line in ways.items()}
    moved = next((said for said in ("harm", "gain") if said in verdicts.values()), "")
    gains = moved == "gain"
    start, amount = ("it gains", numbers) if gains else ("it loses", lost)
    moving = [rule for rule in ways if verdicts[rule] == moved]
    others = [rule for rule in ways if verdicts[rule] != moved]
    whether = f", whether positions are {_rules(ways)}" if len(ways) > 1 else ""
    if not moved:
        most = f"{'at most ' if whether else ''}{_points(lost(_sorted(ways, ways)[-1]))}"
        if set(verdicts.values()) != {"no harm"}:
            return (
                "the loss is",
                f"{most} {what}{arm.beside}",
                f"{whether}{UNTOLD}",
                [*ways.values()],
            )
        if what.startswith("without its"):
            item = f"{what.removeprefix('without ')} without measurable harm: {most}{arm.beside}"
            return "it can lose", item, whether, [*ways.values()]
        return "no harm is measured", f"{what}: {most}{arm.beside}", whether, [*ways.values()]
    least = _points(amount(_sorted(ways, moving, gains)[0]))
    item = f"{'at least ' if len(moving) > 1 else ''}{least} {what}"
    if not others:
        content = ": a matter of content" if whether and "kept" in ways else ""
        return start, f"{item}{arm.beside}", f"{whether}{content}", []
    most = amount(_sorted(ways, others, gains)[-1])
    item += f" where positions are {_rules(moving)}, but "
    item += f"{'at most ' if len(others) > 1 else ''}{most} where they are {_rules(others)}"
    untold = [ways[rule] for rule in others]
    if all(verdicts[rule] == "cannot tell" for rule in others):
        ending = ": too uncertain to tell content from positions"
    else:
        cause = _CAUSES.get(frozenset(moving), "positions and not of content")
        ending = f": a matter of {cause}"
    return start, f"{item}{arm.beside}", ending, untold


def _sorted(ways: "Ways", rules: Iterable[str], gains: bool = False) -> list["Line"]:
    """The lines of some rules, from the least loss, or gain, to the most."""
    sign, far = (1, "delta_high") if gains else (-1, "delta_low")
    lines = [ways[rule] for rule in rules]
    return sorted(lines, key=lambda line: (sign * line["delta"], sign * line[far]))


def _points(number: str) -> str:
    """A number and its interval with the unit."""
    return number.replace(" ", " points ", 1)


def _rules(rules: Iterable[str]) -> str:
    """Rules of positions in a row."""
    return joined([words for rule, words in WORDS.items() if rule in set(rules)], "or")

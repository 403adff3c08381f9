"""What an arm costs under each rule of positions, and whether that says anything of content.

The content is gone whether later positions are held, closed up, or the slots are kept empty. A loss
that one of these brings and another does not is therefore no loss of content: a hole in the
positions, an answer that has moved, or slots that hold nothing a model knows cost something too. A
conclusion about content is drawn only where all of them agree.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import pandas as pd

from latentlab.ablate.amounts import right, smallest, verdict
from latentlab.vocabulary import PositionRule
from latentlab.wording import POSITIONS, joined

if TYPE_CHECKING:
    from latentlab.ablate.amounts import Line

    Ways = Mapping[str, Line]

UNTOLD = "there are too few questions to tell whether it needs them"
"""Ends a clause on an effect that may be there or not."""

_CAUSES = {
    frozenset({"held", "closed"}): "about the slots, not about what they hold",
    frozenset({"kept"}): "about what stands in empty slots, not about content",
}
"""What an effect is about that only these rules bring; any others: positions."""

_ABOUT_POSITIONS = "about positions, not about content"


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
    """As the beginning of a clause: "without its latent text"."""

    ways: "Ways"
    """Its lines, by what becomes of positions."""

    beside: str = ""
    """What its controls do."""


def effects(arms: Iterable[Done], whole: str = "") -> list[str]:
    """What arms do to the answers, in clauses; what comes out alike is told together.

    Args:
        arms: what was done.
        whole: how many answers are right without any of it; told with the first change.
    """
    sorts: dict[str, list[Done]] = {}
    for arm in arms:
        sorts.setdefault(sort_of(arm.ways), []).append(arm)
    clauses = []
    instead = f" instead of {whole}" if whole else ""
    for sort in ("harm", "gain"):
        if found := sorts.get(sort):
            told = joined([_answers(arm, sort) for arm in found])
            clauses.append(f"{told}{instead}")
            instead = ""
    for arm in sorts.get("mixed", ()):
        clauses.append(_mixed(arm, instead))
        instead = ""
    for sort, said in (
        ("no harm", "nothing changes that we could measure"),
        ("cannot tell", "these questions are too few to tell harm from none"),
    ):
        if found := sorts.get(sort):
            what = joined([f"{arm.what}{arm.beside}" for arm in found], "or")
            seen = smallest(*(line for arm in found for line in arm.ways.values()))
            start = f"it answers {whole}; " if instead else ""
            clauses.append(f"{start}{what} {said}{f' ({seen})' if seen else ''}")
            instead = ""
    return clauses


def sort_of(ways: "Ways") -> str:
    """What all rules of positions agree on; `mixed` where some bring an effect that others do not.

    Returns:
        A verdict, or `mixed`. Where nothing is seen to move, one rule that cannot tell is enough
        for not being told.
    """
    said = {verdict(line) for line in ways.values()}
    if len(said) == 1:
        return said.pop()
    return "cannot tell" if said <= {"no harm", "cannot tell"} else "mixed"


def depends(ways: "Ways") -> bool:
    """Whether harm is seen under some rules of positions and not under all."""
    harmful = [verdict(line) == "harm" for line in ways.values()]
    return any(harmful) and not all(harmful)


def _answers(arm: Done, sort: str) -> str:
    """How many answers are right: of several rules that agree, what speaks least for an effect."""
    lines = list(arm.ways.values())
    return f"{arm.what} it answers {_bound(lines, highest=sort == 'harm')}{arm.beside}"


def _bound(lines: "list[Line]", highest: bool) -> str:
    """The highest, or lowest, of some accuracies."""
    lines = sorted(lines, key=lambda line: float(line["accuracy"]))
    if len({right(line) for line in lines}) == 1:
        return right(lines[0])
    return f"at most {right(lines[-1])}" if highest else f"at least {right(lines[0])}"


def _mixed(arm: Done, instead: str) -> str:
    """An effect that only some rules of positions bring, and what it is therefore about."""
    verdicts = {rule: verdict(line) for rule, line in arm.ways.items()}
    moved = "harm" if "harm" in verdicts.values() else "gain"
    moving = [rule for rule in arm.ways if verdicts[rule] == moved]
    others = [rule for rule in arm.ways if verdicts[rule] != moved]
    harm = moved == "harm"
    # Of what brings the effect the least is told, and of the rest the most.
    few = _bound([arm.ways[rule] for rule in moving], highest=harm)
    rest = _bound([arm.ways[rule] for rule in others], highest=not harm)
    text = f"{arm.what} it answers {few} {where(moving)} and {rest} {where(others)}"
    text += f"{arm.beside}{instead}"
    if all(verdicts[rule] == "cannot tell" for rule in others):
        return f"{text}: too uncertain to tell content from positions"
    return f"{text}: this is {_CAUSES.get(frozenset(moving), _ABOUT_POSITIONS)}"


def where(rules: Iterable[str]) -> str:
    """Rules of positions in a row."""
    told = [words for rule, words in POSITIONS.items() if rule in set(rules)]
    return joined([told[0], *(words.removeprefix("with ") for words in told[1:])], "or")

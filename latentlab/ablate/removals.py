"""What a removal costs under each rule of positions, and whether that says anything of content.

The content is gone whether later positions are held, closed up, or the slots are kept empty. A loss
that one of these brings and another does not is therefore no loss of content: a hole in the
positions, an answer that has moved, or slots that hold nothing a model knows cost something too. A
conclusion about content is drawn only where all of them agree.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, get_args

import pandas as pd

from latentlab.ablate.amounts import lost, numbers, smallest, verdict
from latentlab.vocabulary import PositionRule

if TYPE_CHECKING:
    from latentlab.ablate.amounts import Line

    Ways = Mapping[str, Line]

WORDS: dict[str, str] = {
    "held": "with positions held",
    "closed": "with positions closed up",
    "kept": "with slots kept and empty",
}
"""What becomes of positions, as sentences say it."""

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


def removal(what: str, ways: "Ways") -> str:
    """What a removal costs, and what that is a matter of.

    Args:
        what: what is done, as the beginning of a sentence.
        ways: the lines of the removal, by what becomes of positions.
    """
    verdicts = {rule: verdict(line) for rule, line in ways.items()}
    moved = next((said for said in ("harm", "gain") if said in verdicts.values()), "")
    moving = [rule for rule in ways if verdicts[rule] == moved]
    others = [rule for rule in ways if verdicts[rule] != moved]
    still = [rule for rule in ways if verdicts[rule] == "no harm"]
    told = smallest(*(ways[rule] for rule in others))
    told = f" ({told})" if told else ""
    if not moved:
        text = _listed(ways, ways)
        if len(still) < len(ways):
            return f"{what} the losses are {text}{told}: too uncertain to tell harm from none"
        harmless = f"no harm is measured {what}"
        if what.startswith("without its"):
            harmless = f"it can lose {what.removeprefix('without ')} without measurable harm"
        return f"{harmless}, whatever becomes of positions: {text}{told}"
    gains = moved == "gain"
    text = f"{what} it {'gains' if gains else 'loses'} {_listed(ways, moving, gains)}"
    if not others:
        text += ", whatever becomes of positions"
        return text + (": this is a matter of content" if "kept" in ways else "")
    text += f", but {_listed(ways, others, gains)}{told}"
    if all(verdicts[rule] == "cannot tell" for rule in others):
        return f"{text}: too uncertain to tell content from positions"
    cause = _CAUSES.get(frozenset(moving), "positions and not of content")
    return f"{text}: this is a matter of {cause}"


def depends(ways: "Ways") -> bool:
    """Whether harm is seen under some rules of positions and not under all."""
    harmful = [verdict(line) == "harm" for line in ways.values()]
    return any(harmful) and not all(harmful)


def _listed(ways: "Ways", rules: Iterable[str], gains: bool = False) -> str:
    """Losses, or gains, rule by rule."""
    amount = numbers if gains else lost
    told = [f"{amount(ways[rule])} {WORDS[rule]}" for rule in rules]
    *first, last = [told[0].replace(" [", " points [", 1), *told[1:]]
    return f"{', '.join(first)} and {last}" if first else last

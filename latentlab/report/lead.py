"""The question of the project, answered in three sentences made of results alone.

What was found, what carries it, how sure it is. A sentence whose results are missing is left out;
none says more than its interval allows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from latentlab.ablate.amounts import verdict
from latentlab.calibrate.verdicts import BROKEN, ONE_RULE, SHAM
from latentlab.figures.studies import CALIBRATION
from latentlab.measures.outcomes import NONE
from latentlab.report.cast import EXCHANGED, knock_outs, results_of
from latentlab.report.wording import change, number, share
from latentlab.study.results import Results
from latentlab.vocabulary import PARTS

MOST = 3
"""Models told on the first screen; of more the first."""

RULES = {"held": "leaving a hole", "closed": "closing up", "kept": "leaving empty slots"}
"""What becomes of positions where slots are taken away."""

Row = pd.Series


@dataclass(frozen=True)
class Sentence:
    """One of the three."""

    head: str
    """What it is about, in a word or two."""

    text: str
    """The sentence."""


def answer(found: Mapping[str, Results], models: Sequence[str]) -> list[Sentence]:
    """The sentences.

    Args:
        found: results by the name of their study.
        models: those whose truth is asked for.
    """
    lines = knock_outs(found)
    told = [name for name in models if (lines["model"] == name).any()]
    of = {name: lines[lines["model"] == name] for name in told[:MOST]}
    whole = [text for name, mine in of.items() if (text := _whole(name, mine))]
    parts = [text for name, mine in of.items() if (text := _parts(name, mine))]
    more = f" {len(told) - MOST} more models are below." if len(told) > MOST else ""
    sentences = [Sentence("Found.", " ".join(whole) + more)] if whole else []
    sentences += [Sentence("Which part.", " ".join(parts))] if parts else []
    if calibrated := results_of(found, CALIBRATION):
        sentences.append(Sentence("How sure.", sure(calibrated.summary)))
    return sentences


def sure(summary: pd.DataFrame) -> str:
    """How far the instruments can be trusted."""
    read = summary[summary["role"] != SHAM].drop_duplicates(["instrument", "part"])
    read = read[read["verdict"] != ONE_RULE]  # what is not trusted alone proves nothing
    good = int((read["verdict"] != BROKEN).sum())
    known = summary.loc[summary["role"].isin(["positive", "negative"]), "model"].nunique()
    worst = float(summary.loc[summary["role"] == SHAM, "value_high"].max())
    sham = "exactly nothing" if worst == 0 else f"up to {worst:.2g}, which must be 0"
    return (
        f"{good} of {len(read)} readings tell {known} models apart of which it is known whether "
        f"they need their latents; putting a model’s own latents back changes {sham}; intervals in "
        "brackets are 95 %, over questions, not over trainings."
    )


def _whole(name: str, lines: pd.DataFrame) -> str:
    """What becomes of a model's answers without its own latents."""
    alone, other = _arm(lines, NONE), _arm(lines, EXCHANGED)
    if alone is None or other is None:
        return ""
    kept = f"it answers {share(alone)} of {int(alone['n']):,} questions"
    swapped = "with another question’s latents in place of its own"
    said = verdict(other)
    if said == "harm":
        half = -other["delta_high"] > other["accuracy"]
        return (
            f"{name}: {'yes' if half else 'in part'}. Left alone {kept}, {swapped} {share(other)}."
        )
    if said == "gain":
        return f"{name}: no, they stand in its way. Left alone {kept}, {swapped} {share(other)}."
    least = float(other.get("delta_smallest", 0) or 0)
    seen = f"; more than {number(100 * least)} points would have shown" if least > 0 else ""
    word = "no" if said == "no harm" else "not that we could see"
    return f"{name}: {word}. Left alone {kept}; {swapped} that changes by {change(other)}{seen}."


def _parts(name: str, lines: pd.DataFrame) -> str:
    """Which part of the latents that is, under every rule of positions."""
    clauses = [text for part in tuple(PARTS)[:2] if (text := _part(part, lines))]
    return f"{name}: {'; '.join(clauses)}." if clauses else ""


def _part(part: str, lines: pd.DataFrame) -> str:
    """What a part's removal costs: the least over the rules of positions."""
    ways = removals(part, lines)
    if not ways:
        return ""
    harms = [rule for rule, line in ways.items() if verdict(line) == "harm"]
    if len(harms) == len(ways):
        least = max(ways.values(), key=lambda line: float(line["delta"]))
        loss = number(-100 * float(least["delta"]))
        ends = [number(-100 * float(least[f"delta_{end}"])) for end in ("high", "low")]
        every = ", however it is taken away" if len(ways) > 1 else ""
        return (
            f"without its {PARTS[part]} it loses at least {loss} points [{', '.join(ends)}]{every}"
        )
    rule = "kept" if "kept" in ways else next(iter(ways))
    nothing = "" if verdict(ways[rule]) in ("harm", "gain") else "nothing we could measure, "
    done = "emptying" if rule == "kept" else "leaving out"
    text = f"{done} its {PARTS[part]} changes {nothing}{change(ways[rule])}"
    if harms and rule not in harms:
        which = min(harms, key=lambda name: float(ways[name]["delta"]))
        text += f" ({change(ways[which])} when {RULES[which]} in the positions)"
    return text


def removals(part: str, lines: pd.DataFrame) -> dict[str, "Row[float]"]:
    """A part left out, by what becomes of positions."""
    name = f"drop {part}"
    here = lines[(lines["intervention"] == name) | (lines["control_of"] == name)]
    here = here[here["positions"].isin(list(RULES))]
    return {str(line["positions"]): line for _, line in here.iterrows()}


def _arm(lines: pd.DataFrame, name: str) -> "Row[float] | None":
    """The line of an arm, if it was run."""
    here = lines[lines["intervention"] == name]
    return None if here.empty else here.iloc[0]

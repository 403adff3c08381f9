"""What an ablation found, as tables and in sentences; made of the summary alone.

The sentences are for someone who has read nothing else: they never say that a part is not needed,
only that no harm was measured, and not even that where there were too few questions to see any.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from latentlab.console import interval_text, table
from latentlab.measures.outcomes import NONE
from latentlab.measures.summary import totals
from latentlab.vocabulary import CONTROL

if TYPE_CHECKING:
    Line = pd.Series[float]

HARM = 0.05
"""A loss of accuracy that a sentence about "no harm" has to be able to exclude."""

LITTLE = 0.3
"""Below this accuracy a model is about as good as guessing among four options."""

HELD_BACK = 0.5
"""Share of answers held back beyond which the reader is warned."""

_PHRASES = {
    r"drop (\S+)": "without its {}",
    r"zero (\S+)": "with zeros for its {}",
    r"mean (\S+)": "with the mean over all questions for its {}",
    r"constant (\S+)": "with one and the same vector for its {}",
    r"noise (\S+) (\S+)": "with noise of {} SD on its {}",
    r"other (\S+)": "with another question's {}",
    r"placeholder (\S+)": "with empty slots for its {}",
    r"steps=(\d+)": "with {} latent steps",
    r"k=(\d+)": "with {} re-inserted patches a step",
    r"select (\w+)": "with patches picked by the rule {}",
}
_CONTROLS = {
    "slots kept, empty": "leaving the same slots empty",
    "on as many prompt positions": "doing the same to as many prompt positions",
    "the difference empty": "leaving the steps of difference empty",
    "as many at random": "picking as many at random",
}
_FAMILIES = {
    "replacements": r"(zero|mean|constant|noise|other|placeholder) ",
    "numbers of latent steps": r"steps=",
    "numbers of patches": r"k=",
    "ways to pick patches": r"select ",
}


def show_tables(summary: pd.DataFrame) -> None:
    """Put one table a model on the screen: every arm, and under it its control."""
    for model, lines in totals(summary).groupby("model", sort=False):
        arms = zip(lines["intervention"], lines["kind"], strict=True)
        shown = lines.assign(intervention=[_label(arm, kind) for arm, kind in arms])
        # Compared with itself a model says nothing.
        compared = ["delta", "delta_low", "delta_high", "p_holm"]
        shown.loc[lines["intervention"] == NONE, compared] = None
        data, n = lines["data"].iloc[0], lines["n"].iloc[0]
        table(
            shown,
            {
                "intervention": "knock-out at inference",
                "accuracy": "accuracy % [95 %]",
                "delta": "paired difference, points",
                "p_holm": "p (Holm)",
            },
            f"{model}: {n} questions of {data}",
        )


def conclusion(summary: pd.DataFrame) -> list[str]:
    """What was found about each model, in one paragraph each.

    Args:
        summary: lines of `measures.summary`, with `control_of`.
    """
    return [
        " ".join(_sentences(str(model), lines))
        for model, lines in totals(summary).groupby("model", sort=False)
    ]


def held_back(rows: pd.DataFrame) -> list[str]:
    """Which models would mostly have written something between their latent steps and the answer.

    For these, answers that had to come at once are not what the model would have said.

    Args:
        rows: rows of arms that had to answer at once.
    """
    alone = rows[(rows["intervention"] == NONE) & (rows["latent_steps"] > 0)]
    share = 1 - alone.groupby("model", sort=False)["at_once"].mean()
    return [
        f"in {100 * value:.0f} % of its answers {model} would have written something else after "
        "its latent steps before it answers; see --answer"
        for model, value in share[share > HELD_BACK].items()
    ]


def phrase(arm: str) -> str:
    """What an arm does, as the beginning of a sentence about the model."""
    what, at, steps = arm.partition(" at step ")
    what, again, _ = what.partition(", with reuse")
    for pattern, words in _PHRASES.items():
        if match := re.fullmatch(pattern, what):
            names = (group.replace("_", " ") for group in match.groups())
            text = words.format(*("latents" if name == "latent" else name for name in names))
            text += " and reuse" if again else ""
            return text + (f" at step {steps.replace('+', ' and ')}" if at else "")
    return f"under {arm}"


def _label(arm: str, kind: str) -> str:
    """An arm's name in the table; controls are set in, under what they control."""
    return f"  control: {arm.rpartition(': ')[2]}" if kind == CONTROL else arm


def _sentences(model: str, lines: pd.DataFrame) -> Iterator[str]:
    alone = lines[lines["intervention"] == NONE].iloc[0]
    text = interval_text(alone["accuracy"], alone["accuracy_low"], alone["accuracy_high"])
    text = f"{model} answers {text.replace(' ', ' % ', 1)} of {alone['n']} questions"
    yield f"{text}, so there is little to lose." if alone["accuracy"] < LITTLE else f"{text}."
    arms = _distinct(lines[(lines["kind"] != CONTROL) & (lines["intervention"] != NONE)])
    controls = {line["control_of"]: line for _, line in lines.iterrows() if line["control_of"]}
    for _, line in arms[arms["intervention"].str.startswith("drop ")].iterrows():
        yield _sentence(line, controls.get(line["intervention"]))
    for family, pattern in _FAMILIES.items():
        members = arms[arms["intervention"].str.match(pattern).astype(bool)]
        if members.empty:
            continue
        line = members.sort_values("delta").iloc[0]
        sentence = _sentence(line, controls.get(line["intervention"]))
        if len(members) > 1:
            harmful = int((members["delta_high"] < 0).sum()) or "None"
            head = f"{harmful} of {len(members)} {family} measurably cost it points; the worst: "
            sentence = f"{head}{sentence[0].lower()}{sentence[1:]}"
        yield sentence
    shams = lines[lines["intervention"].str.startswith("sham ")]
    if len(shams):
        worst = shams.sort_values("delta", key=abs).iloc[-1]
        moved = "" if worst["delta"] == 0 else ": the instrument itself disturbs the model"
        yield f"Sham {_points(worst['delta'])}{moved}."


def _distinct(arms: pd.DataFrame) -> pd.DataFrame:
    """Leave out what is done to both parts of models that have one, which says everything twice."""
    numbers = ["accuracy", "delta", "delta_low", "delta_high"]
    whole = arms["intervention"].str.replace(r"latent_(text|vision)", "latent", regex=True)
    both = arms["intervention"].str.contains(r"latent(?!_)")
    alike = arms.assign(whole=whole).duplicated(["whole", *numbers], keep=False)
    # Where nothing ever changes all numbers are alike, whatever a model has.
    changed = arms["delta_low"] < arms["delta_high"]
    return arms[~(both & alike & changed & (whole.map(whole.value_counts()) == 2))]


def _sentence(line: "Line", control: "Line | None") -> str:
    """What one arm does to a model, next to its control."""
    what, numbers = phrase(str(line["intervention"])), _numbers(line)
    outcome = _outcome(line)
    if outcome == "loses":
        text = f"{what} it loses {_size(line)} points {_interval(line)}"
    elif outcome == "gains":
        text = f"{what} it gains {_size(line)} points {_interval(line)}"
    elif outcome == "unclear":
        text = f"{what} the difference is {numbers}, too uncertain to tell harm from none"
    elif what.startswith("without its"):
        part = what.removeprefix("without ")
        text = f"it can lose {part} without measurable harm ({numbers})"
    else:
        text = f"{what} no harm is measured ({numbers})"
    if control is not None:
        name = _CONTROLS[str(control["intervention"]).partition(": ")[2]]
        effect = _outcome(control)
        if effect in ("loses", "gains"):
            text += f"; {name} {effect} {_size(control)} {_interval(control)}"
        else:
            text += f"; {name}: {_numbers(control)}"
    return f"{text[0].upper()}{text[1:]}."


def _outcome(line: "Line") -> str:
    """What the interval of a difference allows to say."""
    if line["delta_high"] < 0:
        return "loses"
    if line["delta_low"] > 0:
        return "gains"
    # Where nothing was ever lost the interval has no width; 3 / n bounds what was not seen.
    possible = max(-line["delta_low"], 3 / line["n"])
    return "unclear" if possible > HARM else "harmless"


def _points(value: float) -> str:
    return f"{100 * value + 0:.1f}"


def _size(line: "Line") -> str:
    return _points(abs(line["delta"]))


def _interval(line: "Line") -> str:
    """The interval of a loss or gain, as positive numbers."""
    low, high = sorted(abs(line[name]) for name in ("delta_low", "delta_high"))
    return f"[{_points(low)}, {_points(high)}]"


def _numbers(line: "Line") -> str:
    """A difference as it is, with its sign."""
    low, high = _points(line["delta_low"]), _points(line["delta_high"])
    return f"{_points(line['delta'])} [{low}, {high}]"

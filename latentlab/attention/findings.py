"""What attention was found to do, in sentences; made of the summary alone.

Every sentence that gives a ratio or a pointing score gives what indifferent attention would have
had, and none says that a model uses what it looks at. This is about the steps; the answer has
`readout_findings`.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from latentlab.attention.summary import (
    AFTER,
    FIRST_STEP,
    RIGHT,
    WRONG,
    is_control,
)
from latentlab.attention.tables import ONE_READING, measured, whole
from latentlab.console import estimate, percent
from latentlab.measures.summary import ALL, FEW
from latentlab.wording import MODES, paragraph, sentence

if TYPE_CHECKING:
    Line = pd.Series[float]


def conclusion(summary: pd.DataFrame, top: int) -> list[str]:
    """What was found about each model, in one paragraph of three sentences at most.

    Args:
        summary: lines of `attention.summary.summary_of`.
        top: how many of the most attended patches count as looked at.
    """
    paragraphs = []
    summary = summary[summary["query"] != AFTER]
    for (model, mode), lines in summary.groupby(["model", "mode"], sort=False):
        if is_control(str(mode)):
            continue
        averaged = (lines["layers"] == ONE_READING).all()
        sentences = _of_average(lines, top) if averaged else _of_parts(lines)
        told = [sentence(text) for text in sentences]
        where = MODES.get(str(mode), str(mode))
        paragraphs.append(paragraph(f"{model}, {where}", *told))
    return paragraphs


def _of_average(lines: pd.DataFrame, top: int) -> Iterator[str]:
    """Sentences about attention averaged over layers and heads."""
    alone = whole(lines)
    ratios = measured(alone, "ratio", "image/text")
    if ratios.empty:
        yield "no position that was read can attend to both image and text"
    else:
        text = _along("the image", ratios, lines)
        unseen = sorted(set(alone["step"]) - set(ratios["step"]))
        yield f"{text}; the image is hidden from it at {_steps(unseen)}" if unseen else text
    again = measured(alone, "ratio", "reinserted/text")
    if len(again):
        yield _along("re-inserted patches", again, lines)
    pointing = measured(alone, "points_at", "read")
    picked = measured(alone, "picked", "read")
    if len(pointing):
        last = pointing.iloc[-1]
        text = f"the cell to be read is among the {top} most attended patches in"
        by_answer = "; ".join(_by_answer(lines, int(last["step"])))
        yield f"{text} {_rate(last)}{f'; {by_answer}' if by_answer else ''}"
    elif len(picked):
        yield f"its picks hold the cell to be read in {_rate(picked.iloc[-1])}"


def _of_parts(lines: pd.DataFrame) -> Iterator[str]:
    """A sentence about the layer or head that points best at the last step."""
    alone = whole(lines)
    found = measured(alone, "points_at", "read")
    percent = not found.empty
    if not percent:
        found = measured(alone, "ratio_per_token", "image/text")
    if found.empty:
        yield "no position that was read can attend to an image"
        return
    last = found[found["step"] == found["step"].max()]
    best = last.sort_values("value", kind="stable").iloc[-1]
    name = f"layer {best['layers']}"
    name += "" if best["heads"] == ONE_READING else f", head {best['heads']}"
    if percent:
        what = f"has the cell to be read among its most attended patches in {_rate(best)}"
    else:
        times = estimate(best, "value", "")
        what = (
            f"attends to the image {times} times as much as to text, token by token, at "
            f"{_steps([best['step']])} (uniform attention would give 1; n = {best['n']})"
        )
    yield f"{name} {what}"
    yield f"it was chosen as the best of {len(last)} on these examples, so its value is too high"


def _along(what: str, found: pd.DataFrame, lines: pd.DataFrame) -> str:
    """How a ratio goes from its first step to its last, beside its null at both."""
    first, last = found.iloc[0], found.iloc[-1]
    text = f"it attends to {what} {_times(first)} as much as to text"
    if len(found) == 1:
        return f"{text} at {_steps([int(first['step'])])} (uniform: {first['null']:.2g})"
    changes = lines[(lines["against"] == FIRST_STEP) & (lines["step"] == last["step"])]
    change = measured(changes, str(first["measure"]), str(first["keys"]))
    still = _change(change.iloc[0]) if len(change) else ""
    ends = dict.fromkeys(f"{line['null']:.2g}" for line in (first, last))
    return (
        f"{text} at {_steps([int(first['step'])])} and {_times(last)} at "
        f"{_steps([int(last['step'])])}{still} (uniform: {' and '.join(ends)}; n = {last['n']})"
    )


def _times(line: "Line") -> str:
    """A ratio as a multiple."""
    text = estimate(line, "value", "")
    return text.replace(" [", " times [", 1)


def _rate(line: "Line") -> str:
    """A fraction at a step, beside chance."""
    return (
        f"{estimate(line, 'value')} at {_steps([int(line['step'])])} "
        f"({percent(line['null'])} by chance; n = {line['n']})"
    )


def _by_answer(lines: pd.DataFrame, step: int) -> Iterator[str]:
    """Pointing where the answer is right and where it is wrong: does it tell them apart?"""
    alone = lines[(lines["against"] == "") & (lines["step"] == step) & (lines["domain"] == ALL)]
    found = measured(alone, "points_at", "read").set_index("answered")
    if not {RIGHT, WRONG} <= set(found.index):
        return
    right, wrong = (found.loc[[answered]].iloc[0] for answered in (RIGHT, WRONG))
    if min(right["n"], wrong["n"]) >= FEW:
        yield (
            f"{estimate(right, 'value')} where the answer is right (n = {right['n']}), "
            f"{estimate(wrong, 'value')} where it is wrong (n = {wrong['n']})"
        )


def _change(change: "Line") -> str:
    """What the interval of a difference allows to say."""
    if change["value_low"] > 0 or change["value_high"] < 0:
        return ""
    return ", which is no measurable change"


def _steps(steps: list[int]) -> str:
    if steps == [0]:
        return "the end of the prompt"
    return f"step{'s' if len(steps) > 1 else ''} {', '.join(str(step) for step in steps)}"

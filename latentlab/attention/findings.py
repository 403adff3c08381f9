"""What attention was found to do, as tables and in sentences; made of the summary alone.

Every sentence that gives a ratio or a pointing score gives what indifferent attention would have
had, and none says that a model uses what it looks at. This is about the steps; the answer has
`answer_findings`.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from latentlab.attention.summary import (
    AFTER,
    CONTROLS,
    FIRST_STEP,
    RANDOM_PICKS,
    RIGHT,
    WRONG,
    is_control,
)
from latentlab.console import estimate, table
from latentlab.measures.summary import ALL, FEW

if TYPE_CHECKING:
    Line = pd.Series[float]

R_IMAGE, R_AGAIN = ("ratio", "image/text"), ("ratio", "reinserted/text")
POINTS = ("points_at", "read")

SHOWN = {
    R_IMAGE: "R image/text",
    R_AGAIN: "R re-inserted/text",
    ("entropy", "image"): "entropy on image",
    POINTS: "cell read in top {top}, %",
    ("enrichment", "read"): "enrichment",
}
"""Columns of the tables; all other measures are in the summary."""

SHOWN_OF_PARTS = {
    ("mass", "image"): "mass on image",
    ("mass", "reinserted"): "re-inserted",
    ("mass", "prompt"): "prompt",
    ("mass", "latent_text"): "latent text",
    POINTS: "cell read in top {top}, %",
}
"""The same for single layers and heads: where one of these ignores all text, R has no bound."""

_NULLS = {R_IMAGE: "if uniform", R_AGAIN: "if uniform", POINTS: "at random"}
_ONE_READING = "all"


def show_tables(summary: pd.DataFrame, top: int) -> None:
    """Put one table a model on the screen: a line for each step, and for each layer or head.

    Args:
        summary: lines of `attention.summary.summary_of`.
        top: how many of the most attended patches count as looked at.
    """
    steps = _whole(summary[summary["query"] != AFTER])
    for (model, mode), lines in steps.groupby(["model", "mode"], sort=False):
        if is_control(str(mode)):
            continue  # the sentences name it
        columns = {"step": "step"}
        reading = ["step", "layers", "heads"]
        shown = lines[reading].drop_duplicates().reset_index(drop=True)
        columns |= {name: name for name in reading[1:] if (shown[name] != _ONE_READING).any()}
        averaged = (shown["layers"] == _ONE_READING).all()
        for (measure, keys), heading in (SHOWN if averaged else SHOWN_OF_PARTS).items():
            found = _measured(lines, measure, keys)
            if found.empty:
                continue
            name, null = f"{measure}:{keys}", f"null:{measure}:{keys}"
            ends = {f"value{end}": f"{name}{end}" for end in ("", "_low", "_high")}
            found = found[[*reading, *ends, "null"]].rename(columns={**ends, "null": null})
            shown = shown.merge(found, on=reading, how="left")
            columns[name] = heading.format(top=top)
            if (measure, keys) in _NULLS:
                columns[null] = _NULLS[measure, keys]
        title = f"{model} ({mode}): n = {lines['n'].max()}, 95 % intervals"
        table(shown, columns, title, percent=("points_at:read", "null:points_at:read"))


def conclusion(summary: pd.DataFrame, top: int) -> list[str]:
    """What was found about each model, in one paragraph each.

    Args:
        summary: lines of `attention.summary.summary_of`.
        top: how many of the most attended patches count as looked at.
    """
    paragraphs = []
    summary = summary[summary["query"] != AFTER]
    for (model, mode), lines in summary.groupby(["model", "mode"], sort=False):
        if is_control(str(mode)):
            continue
        whole = (lines["layers"] == _ONE_READING).all()
        sentences = list(_of_average(lines, top) if whole else _of_parts(lines))
        if whole:
            sentences += _of_controls(summary[summary["model"] == model], str(mode))
        name = "without latent steps" if mode == "plain" else mode
        text = " ".join(f"{s[0].upper()}{s[1:]}." for s in sentences)
        paragraphs.append(f"{model} ({name}): {text}")
    return paragraphs


def _of_average(lines: pd.DataFrame, top: int) -> Iterator[str]:
    """Sentences about attention averaged over layers and heads."""
    whole = _whole(lines)
    uniform = "uniform attention would give"
    ratios = _measured(whole, "ratio", "image/text")
    if ratios.empty:
        yield "no position that was read can attend to both image and text"
    else:
        yield _along("attention to the image: R", uniform, ratios, lines)
        unseen = sorted(set(whole["step"]) - set(ratios["step"]))
        if unseen:
            yield f"the image is hidden from it at {_steps(unseen)}"
    again = _measured(whole, "ratio", "reinserted/text")
    if len(again):
        yield _along("attention to re-inserted patches: R", uniform, again, lines)
        drawn = _measured(lines[lines["against"] == RANDOM_PICKS], "ratio", "reinserted/text")
        for _, line in drawn.tail(1).iterrows():
            yield (
                f"at step {line['step']} that differs by {estimate(line, 'value', '')} from what as many "
                "patches drawn at random get"
            )
    spread = _measured(whole, "entropy", "image")
    if len(spread):
        yield _along("its normalised entropy over the patches", "uniform is", spread, lines)
    pointing = _measured(whole, "points_at", "read")
    if len(pointing):
        yield (
            f"the cell to be read is among the {top} most attended patches in {_listed(pointing)} "
            f"at {_steps(list(pointing['step']))} ({_percent(pointing['null'].mean())} by chance)"
        )
        yield from _by_answer(lines, int(pointing["step"].iloc[-1]))
    picked = _measured(whole, "picked", "read")
    if len(picked):
        named = _measured(whole, "picked", "target")
        yield (
            f"its picks at {_steps(list(picked['step']))} hold that cell in {_listed(picked)}, and "
            f"the cell that its mark names in {_listed(named)} "
            f"({_percent(picked['null'].mean())} at random)"
        )
    others = lines[~lines["against"].isin(("", FIRST_STEP, *CONTROLS.values()))]
    for other, compared in others.groupby("against", sort=False):
        found = _measured(compared, "ratio", "image/text")
        if len(found):
            line = found.iloc[-1]
            yield (
                f"at step {line['step']} its R for the image differs from that of {other} "
                f"(explicit) by {estimate(line, 'value', '')}, where uniform attention would differ by "
                f"{line['null'] + 0:.3g}"
            )


def _of_controls(lines: pd.DataFrame, mode: str) -> list[str]:
    """R and F at the last step where re-inserted patches are others, empty, left out or packed."""
    runs = [(name, f"{mode}, {name}") for name in CONTROLS.values()]
    whole = _whole(lines)
    sentences = []
    for what, measure, keys in (("R", "ratio", "image/text"), ("F", "focus", "image")):
        found = _measured(whole, measure, keys)
        own = found[found["mode"] == mode]
        if own.empty:
            continue
        last = own["step"].max()
        at_last = found[found["step"] == last].set_index("mode")
        others = [
            f"{estimate(at_last.loc[run], 'value', '')} ({name})"
            for name, run in runs
            if run in at_last.index
        ]
        if others:
            sentences.append(
                f"its {what} for the image at step {last}, {estimate(at_last.loc[mode], 'value', '')}, is "
                f"{', '.join(others)} where its patches are replaced, emptied, left out or packed"
            )
    return sentences


def _of_parts(lines: pd.DataFrame) -> Iterator[str]:
    """A sentence about the layer or head that points best at the last step."""
    whole = _whole(lines)
    found = _measured(whole, "points_at", "read")
    percent = not found.empty
    if not percent:
        found = _measured(whole, "ratio_per_token", "image/text")
    if found.empty:
        yield "no position that was read can attend to an image"
        return
    last = found[found["step"] == found["step"].max()]
    best = last.sort_values("value", kind="stable").iloc[-1]
    name = f"layer {best['layers']}"
    name += "" if best["heads"] == _ONE_READING else f", head {best['heads']}"
    if percent:
        what = (
            f"has the cell to be read among its most attended patches in {estimate(best, 'value')}"
        )
        null = f"{_percent(best['null'])} by chance"
    else:
        what = f"attends to the image {estimate(best, 'value', '')} times as much as to text, token by token"
        null = "uniform attention would give 1"
    yield f"at {_steps([best['step']])} {name} {what} ({null})"
    yield f"it was chosen as the best of {len(last)} on these examples, so its value is too high"


def _along(what: str, null: str, found: pd.DataFrame, lines: pd.DataFrame) -> str:
    """How a measure goes from its first step to its last, beside its null at both."""
    first, last = found.iloc[0], found.iloc[-1]
    start = estimate(first, "value", "")
    if len(found) == 1:
        where = f" at step {first['step']}" if first["step"] else ""
        return f"{what} is {start}{where} ({null} {first['null']:.3g})"
    changes = lines[(lines["against"] == FIRST_STEP) & (lines["step"] == last["step"])]
    change = _measured(changes, str(first["measure"]), str(first["keys"]))
    verb = _verb(change.iloc[0]) if len(change) else "goes"
    ends = dict.fromkeys(f"{line['null']:.3g}" for line in (first, last))
    return (
        f"{what} {verb} from {start} at step {first['step']} to {estimate(last, 'value', '')} at step "
        f"{last['step']} ({null} {' and '.join(ends)})"
    )


def _by_answer(lines: pd.DataFrame, step: int) -> Iterator[str]:
    """Pointing where the answer is right and where it is wrong: does it tell them apart?"""
    alone = lines[(lines["against"] == "") & (lines["step"] == step)]
    found = _measured(alone, "points_at", "read").set_index("answered")
    if not {RIGHT, WRONG} <= set(found.index):
        return
    right, wrong = (found.loc[[answered]].iloc[0] for answered in (RIGHT, WRONG))
    if min(right["n"], wrong["n"]) >= FEW:
        yield (
            f"at step {step} that is {estimate(right, 'value')} where the answer is right (n = "
            f"{right['n']}) and {estimate(wrong, 'value')} where it is wrong (n = {wrong['n']})"
        )


def _whole(lines: pd.DataFrame) -> pd.DataFrame:
    """Lines over all examples that are no differences."""
    groups = (lines["domain"] == ALL) & (lines["answered"] == ALL)
    return lines[groups & (lines["against"] == "")]


def _measured(lines: pd.DataFrame, measure: str, keys: str) -> pd.DataFrame:
    return lines[(lines["measure"] == measure) & (lines["keys"] == keys)]


def _verb(change: "Line") -> str:
    """What the interval of a difference allows to say."""
    if change["value_low"] > 0:
        return "rises"
    return "falls" if change["value_high"] < 0 else "goes, with no measurable change,"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _listed(lines: pd.DataFrame) -> str:
    """Fractions at several steps, in order."""
    return ", ".join(estimate(line, "value") for _, line in lines.iterrows())


def _steps(steps: list[int]) -> str:
    if steps == [0]:
        return "the end of the prompt"
    return f"step{'s' if len(steps) > 1 else ''} {', '.join(str(step) for step in steps)}"

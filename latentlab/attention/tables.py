"""The tables of an attention study: its steps, and its last one beside other runs."""

import pandas as pd

from latentlab.attention.summary import AFTER, FIRST_STEP, is_control
from latentlab.console import table
from latentlab.measures.summary import ALL
from latentlab.wording import MODES

R_IMAGE, R_AGAIN = ("ratio", "image/text"), ("ratio", "reinserted/text")
POINTS = ("points_at", "read")

_RATIOS = {
    R_IMAGE: "R image/text",
    R_AGAIN: "R re-inserted/text",
    ("entropy", "image"): "entropy on image",
}
_POINTING = {
    POINTS: "cell read in top {top}, %",
    ("enrichment", "read"): "enrichment",
    ("picked", "read"): "picked, %",
    ("picked", "target"): "cell it names picked, %",
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

_NULLS = {
    R_IMAGE: "if uniform",
    R_AGAIN: "if uniform",
    POINTS: "at random",
    ("picked", "target"): "at random",
}
SPARE = (("enrichment", "read"), ("picked", "read"), ("entropy", "image"))
"""Columns that a narrow screen does without, the first to go first."""

_FRACTIONS = ("points_at:read", "picked:read", "picked:target")
_TABLES = ((_RATIOS, ""), (_POINTING, ", cell to be read"))
ONE_READING = "all"
READING = ["step", "layers", "heads"]


def whole(lines: pd.DataFrame) -> pd.DataFrame:
    """Lines over all examples that are no differences."""
    groups = (lines["domain"] == ALL) & (lines["answered"] == ALL)
    return lines[groups & (lines["against"] == "")]


def measured(lines: pd.DataFrame, measure: str, keys: str) -> pd.DataFrame:
    """Lines of one measure."""
    return lines[(lines["measure"] == measure) & (lines["keys"] == keys)]


def show_tables(summary: pd.DataFrame, top: int) -> None:
    """Put on the screen where each step of a model looks, and its last step beside other runs.

    Args:
        summary: lines of `attention.summary.summary_of`.
        top: how many of the most attended patches count as looked at.
    """
    steps = whole(summary[summary["query"] != AFTER])
    for (model, mode), lines in steps.groupby(["model", "mode"], sort=False):
        if is_control(str(mode)):
            continue  # these are in the table of differences
        title = f"{model} {MODES.get(str(mode), str(mode))}"
        averaged = (lines[READING[1:]] == ONE_READING).all(axis=None)
        for headings, what in _TABLES if averaged else ((SHOWN_OF_PARTS, ""),):
            _show_steps(lines, headings, f"{title}{what}", top)
        if averaged:
            _show_differences(str(model), str(mode), summary)


def _show_steps(
    lines: pd.DataFrame, headings: dict[tuple[str, str], str], title: str, top: int
) -> None:
    """A line for each step, and for each layer or head; nothing where no measure is there."""
    shown = lines[READING].drop_duplicates().reset_index(drop=True)
    columns = {"step": "step"}
    columns |= {name: name for name in READING[1:] if (shown[name] != ONE_READING).any()}
    keys_only = len(columns)
    for (measure, keys), heading in headings.items():
        found = measured(lines, measure, keys)
        if found.empty:
            continue
        name, null = f"{measure}:{keys}", f"null:{measure}:{keys}"
        ends = {f"value{end}": f"{name}{end}" for end in ("", "_low", "_high")}
        found = found[[*READING, *ends, "null"]].rename(columns={**ends, "null": null})
        shown = shown.merge(found, on=READING, how="left")
        columns[name] = heading.format(top=top)
        if (measure, keys) in _NULLS:
            columns[null] = _NULLS[measure, keys]
    if len(columns) == keys_only:
        return
    percent = [f"{kind}{name}" for name in _FRACTIONS for kind in ("", "null:")]
    n = lines["n"].max()
    table(
        shown.assign(n=n),
        columns,
        f"{title}; {n} questions",
        percent=percent,
        spare=[f"{measure}:{keys}" for measure, keys in SPARE],
        keys=keys_only,
    )


def _show_differences(model: str, mode: str, summary: pd.DataFrame) -> None:
    """R and F at the last step less those of runs on other patches, or that reason in words."""
    lines = summary[(summary["model"] == model) & (summary["mode"] == mode)]
    lines = lines[~lines["against"].isin(("", FIRST_STEP)) & (lines["query"] != AFTER)]
    lines = lines[lines["step"] == lines["step"].max()]
    names = {("ratio", "image/text"): "R image/text", ("focus", "image"): "F on image"}
    rows = []
    for other, of_other in lines.groupby("against", sort=False):
        row: dict[str, object] = {"less": str(other).replace("_", " ")}
        for (measure, keys), name in names.items():
            found = measured(of_other, measure, keys)
            for end in ("", "_low", "_high"):
                row[f"{name}{end}"] = found[f"value{end}"].iloc[0] if len(found) else None
            row[f"null:{name}"] = found["null"].iloc[0] + 0.0 if len(found) else None
        rows.append(row)
    frame = pd.DataFrame(rows)
    if frame.empty or frame[list(names.values())].isna().all(axis=None):
        return
    columns = {"less": "compared with"}
    for name in names.values():
        columns |= {name: f"difference in {name}", f"null:{name}": "if uniform"}
    step = lines["step"].iloc[0]
    where, n = MODES.get(mode, mode), lines["n"].max()
    title = f"{model} {where}: step {step} beside other runs; {n} questions"
    table(frame, columns, title, (), changes=tuple(names.values()))

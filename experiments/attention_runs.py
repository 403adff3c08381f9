"""What moves R and F over the steps: patches, their slots, or the positions that slots take?

Study: `attention-runs` (`latentlab.attention --vision`): the same weights, read at their last step
with their own patches, with others at random, with empty slots, without slots, and with slots that
share a position. Patches enter the keys in three of these runs, positions move on as the model is
used to in four; so the two can be told apart. Controls are the runs themselves and the first step,
which comes before any patch.
"""

import pandas as pd

from latentlab.attention.summary import CONTROLS
from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.dots import draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import legend, sampled
from latentlab.figures.lines import names
from latentlab.figures.style import canvas, look_of
from latentlab.measures.summary import ALL
from latentlab.wording import joined

PART = "appendix"

STUDIES = (studies.ATTENTION_RUNS,)

FIRST = "first step"

RUNS = {
    FIRST: "first step, before patches",
    "": "own patches",
    CONTROLS["random"]: "patches at random",
    CONTROLS["kept"]: "empty slots",
    CONTROLS["held"]: "no slots, positions held",
    CONTROLS["closed"]: "no slots, closed up",
    CONTROLS["packed"]: "own patches, shared position",
}
"""What the rows call a run."""

MEASURES = {"ratio": ("image/text", "R at the last step"), "focus": ("image", "F")}
"""What is drawn, a panel each: of which keys, and what its axis is called."""


def make(found: Found) -> Drawing:
    """The figure: a panel for each measure, a row for each run, a mark for each model."""
    results = found[studies.ATTENTION_RUNS.name]
    lines = _lines(results.summary)
    models = names(lines["model"])
    rows = {run: label for run, label in RUNS.items() if (lines["row"] == run).any()}
    figure, axes = canvas("single", 0.8 + 0.19 * len(rows), 1, len(MEASURES), sharey=True)
    looks = {model: look_of(model, models) for model in models}
    for axis, (measure, (_, label)) in zip(axes, MEASURES.items(), strict=True):
        draw_dots(axis, lines[lines["measure"] == measure], rows, looks, "value", 1)
        axis.set_xlabel(label)
    legend(figure, axes[0], {m: style | {"linestyle": "none"} for m, style in looks.items()}, 4)
    kept = ["model", "mode", "run", "step", "measure", "keys", "n"]
    data = lines[[*kept, "value", "value_low", "value_high"]].reset_index(drop=True)
    caption = (
        f"{_finding(lines)}\n\n"
        f"R and F (IVT-LR, equations 1 and 2): {sampled(lines, results.run['config']['data'])}; "
        "if patches among the keys moved R, it would differ between rows with "
        "and without patches; if positions did, between the upper rows and the last two, where "
        "what follows moves up. Bars are 95 % intervals over questions."
    )
    return Drawing(figure, data, caption)


def _lines(summary: pd.DataFrame) -> pd.DataFrame:
    """The last step of every run, and the first; of models with runs besides their own, if any."""
    whole = (summary[["domain", "answered"]] == ALL).all(axis=1) & summary["against"].eq("")
    averaged = (summary[["layers", "heads"]] == ALL).all(axis=1)
    keys = summary["measure"].map({measure: of for measure, (of, _) in MEASURES.items()})
    lines = summary[whole & averaged & (summary["keys"] == keys)]
    lines = lines.assign(run=lines["mode"].str.partition(", ")[2])
    several = lines.groupby("model")["run"].transform("nunique") > 1
    lines = lines[several] if several.any() else lines
    of_model = lines.groupby("model")["step"]
    first = lines[(lines["step"] == of_model.transform("min")) & (lines["run"] == "")]
    last = lines[lines["step"] == of_model.transform("max")]
    lines = pd.concat([first.assign(row=FIRST), last.assign(row=last["run"])])
    return lines.assign(series=lines["model"])


def _finding(lines: pd.DataFrame) -> str:
    """R of the first model at its last step in all its runs."""
    model = lines["model"].iloc[0]
    of = lines[(lines["model"] == model) & (lines["measure"] == "ratio")].set_index("row")["value"]
    told = [f"{of[run]:.2f} ({label})" for run, label in RUNS.items() if run in of and run != FIRST]
    return f"R of {model} starts at {of[FIRST]:.2f} and ends at {joined(told)}."

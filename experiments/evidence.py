"""Whether latents supply what the picture lacks.

Studies: `evidence` and `evidence-one-hop` (`latentlab.ablate --mask-evidence`): the cell that the
last hop needs is blank in the picture, or another one is, and the re-inserted patches (without any,
the latent text) are those of the whole picture at the picks made there, made anew, another
question's, or none. A latent text that is put back still looks up in its slot what the picture at
hand shows, here a blank cell; beside patches it is made anew. Slots that are left out, with later
positions held or closed up, are in the CSV file. The IVT-LR paper has no such test.
"""

import pandas as pd

from latentlab.ablate.evidence import MASKED, OTHER_MASKED, SHOWN
from latentlab.ablate.evidence_summary import evidence_lines
from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing, caption
from latentlab.figures.dots import HOLLOW, draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import WEIGHTS, legend
from latentlab.figures.lines import names
from latentlab.figures.style import INK, MUTED, canvas, look_of
from latentlab.measures.summary import ALL
from latentlab.wording import joined

PART = "appendix"
STUDIES = (studies.EVIDENCE, studies.EVIDENCE_ONE_HOP)

SLOTS = {
    "own": "of the whole picture",
    "remade": "made anew",
    "other": "another question's",
    "empty": "slots empty",
}
"""What slots hold, as the figure names it."""


def make(found: Found) -> Drawing:
    """The figure: a panel for each model, a row for each filling, a mark for each picture."""
    results = [found[study.name] for study in STUDIES]
    lines = pd.concat([evidence_lines(run.rows) for run in results], ignore_index=True)
    lines = lines[(lines["domain"] == ALL) & (lines["needed_cell"] == ALL)]
    # Beside patches the text is made anew; only the untouched run has its own of both.
    untouched = (lines["evidence"] == SHOWN) & (lines["vision_slots"] == "own")
    anew = (lines["vision_slots"] == "") | (lines["text_slots"] != "own")
    lines = lines[untouched | anew]
    slots = lines["vision_slots"].where(lines["vision_slots"] != "", lines["text_slots"])
    data = lines.assign(series=lines["evidence"], row=slots)
    shown = data[(data["row"] != "empty") | (data["positions"] == "kept")]
    rows = {row: label for row, label in SLOTS.items() if row in set(shown["row"])}
    models = names(data["model"])
    figure, axes = canvas(
        "double", 1.15 + 0.26 * len(rows), 1, len(models), sharex=True, sharey=True
    )
    for axis, model in zip(axes, models, strict=True):
        of_model, style = shown[shown["model"] == model], look_of(model, models)
        draw_dots(axis, of_model, rows, {MASKED: style, OTHER_MASKED: style | HOLLOW}, "accuracy")
        whole = of_model[of_model["series"] == SHOWN]
        places = [list(rows).index(row) for row in whole["row"]]
        ends = ([place - 0.36 for place in places], [place + 0.36 for place in places])
        axis.vlines(100 * whole["accuracy"], *ends, color=MUTED, linewidth=1.4, zorder=0)
        what = "patches" if (of_model["vision_slots"] != "").any() else "latent text"
        axis.set(title=f"{model}\n{what}", xlim=(-8, 108), xticks=(0, 100))
    figure.supxlabel("right answers (%)", fontsize=7.5)
    grey = {"marker": "o", "color": INK, "linestyle": "none"}
    marks = {"needed cell blank": grey, "a cell off the walk blank": grey | HOLLOW}
    legend(figure, axes[0], {"whole picture": {"color": MUTED, "linewidth": 1.4}} | marks, 3)
    n = names(str(n) for n in (shown["n"].min(), shown["n"].max()))
    text = (
        "Rows: what the patches (without any, the latent text) are. Latents that supply what the "
        "picture lacks are right where the others are not; where the cell is not among the picks "
        f"they cannot be. n = {' to '.join(n)} questions a mark, the last models on one hop; 95 % "
        f"Wilson intervals. {WEIGHTS}"
    )
    columns = ["model", "data", "evidence", "vision_slots", "text_slots", "positions", "n"]
    columns += ["row", "series", "accuracy", "accuracy_low", "accuracy_high"]
    data = data[columns].reset_index(drop=True)
    return Drawing(figure, data, caption(_finding(shown), text))


def _finding(shown: pd.DataFrame) -> str:
    """Which models are right with latents of the whole picture where others leave them wrong."""
    blank = shown[shown["series"] == MASKED]
    ends = ["accuracy", "accuracy_low", "accuracy_high"]
    pairs = blank.pivot_table(ends, "model", "row", sort=False)
    if not {"own", "remade"} <= set(pairs["accuracy"]):
        return "With the needed cell blank, 0 questions were asked."
    told, none = [], []
    for model, line in pairs.iterrows():
        with_own, anew = (100 * line["accuracy", row] for row in ("own", "remade"))
        if line["accuracy_low", "own"] > line["accuracy_high", "remade"]:
            told.append(f"{with_own:.0f} % instead of {anew:.0f} % ({model})")
        else:
            none.append(str(model))
    if not told:
        return f"Latents of the whole picture supply a blank cell in 0 of {len(pairs)} models."
    finding = f"With the needed cell blank, latents of the whole picture give {joined(told)}"
    return f"{finding}; {joined(none)} gain nothing measurable." if none else f"{finding}."

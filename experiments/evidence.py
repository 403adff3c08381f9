"""Whether latents supply what the picture lacks.

Studies: `evidence` and `evidence-one-hop` (`latentlab.ablate --mask-evidence`): the cell that the
last hop needs is blank in the picture, and the latents are those of the whole picture, emptied, or
another question's. The IVT-LR paper has no such test.
"""

import pandas as pd

from latentlab.ablate.evidence import MASKED, OTHER_MASKED, SHOWN
from latentlab.ablate.evidence_summary import evidence_lines
from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.dots import HOLLOW, draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import UNPUBLISHED, WEIGHTS, legend
from latentlab.figures.lines import names
from latentlab.figures.style import canvas, look
from latentlab.measures.summary import ALL

STUDIES = (studies.EVIDENCE, studies.EVIDENCE_ONE_HOP)

SERIES = {
    SHOWN: "whole picture",
    OTHER_MASKED: "a cell off the walk blank",
    MASKED: "needed cell blank",
}
"""What the picture shows, as the figure names it."""

SLOTS = {
    "own": "those of the whole picture",
    "remade": "made anew",
    "other": "another question's",
    "empty": "empty",
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
    data = lines.assign(series=lines["evidence"], row=slots + " " + lines["positions"])
    rows = {
        f"{name} {way}": label + (f", positions {way}" if way else "")
        for name, label in SLOTS.items()
        for way in (("kept", "held", "closed") if name == "empty" else ("",))
    }
    rows = {row: label for row, label in rows.items() if row in set(data["row"])}
    models = names(data["model"])
    looks = {name: look(i) | {"label": label} for i, (name, label) in enumerate(SERIES.items())}
    looks[OTHER_MASKED] |= HOLLOW
    figure, axes = canvas(
        "double", 0.9 + 0.25 * len(rows), 1, len(models), sharex=True, sharey=True
    )
    for axis, model in zip(axes, models, strict=True):
        draw_dots(axis, data[data["model"] == model], rows, looks, "accuracy")
        patched = (data.loc[data["model"] == model, "vision_slots"] != "").any()
        axis.set(title=f"{model}\n{'patches' if patched else 'latent text'}", xlim=(-5, 105))
    figure.supxlabel("right answers (%)", fontsize=7.5)
    legend(figure, axes[0], {}, 3)
    asked = "; ".join(
        f"{', '.join(names(of_data['model']))} on {of_data['n'].min()} questions of {name}"
        for name, of_data in data.groupby("data", sort=False)
    )
    caption = (
        "Right answers where the cell that the last hop needs is blank in the picture, where "
        "another one is, and on the whole picture, by what the re-inserted patches (without any, "
        "the latent text) are: those of the whole picture at the picks made there, made anew from "
        "the picture at hand, another question's, or none, with the slots kept and empty or left "
        f"out and later positions held or closed up. Latent text beside patches is made anew. "
        f"{asked}. {WEIGHTS} Bars are 95 % Wilson intervals; an answer that names no option is "
        "wrong. Latents that supply what is missing are right where the others are not; where the "
        "cell is not among the picks, they cannot be. A latent text that is put back still looks "
        f"up in its slot what the picture at hand shows, here a blank cell. {UNPUBLISHED}"
    )
    columns = ["model", "data", "evidence", "vision_slots", "text_slots", "positions", "n"]
    columns += ["row", "series", "accuracy", "accuracy_low", "accuracy_high"]
    return Drawing(figure, data[columns].reset_index(drop=True), caption)

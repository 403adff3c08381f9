"""What the unembedding reads off each place and layer: the objects of the hops, one by one.

Study: `lens` (`latentlab.lens`): how often the object of a hop is the top token after each layer
(logit lens), of the latent as it is fed in, and by the nearest token embedding. Control: an object
of the same picture that is not on the walk. The IVT-LR paper has no counterpart.
"""

import pandas as pd

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import UNPUBLISHED, WEIGHTS, sampled, widest
from latentlab.figures.lines import names
from latentlab.figures.marks import heat
from latentlab.figures.style import canvas
from latentlab.lens.summary import ATTRIBUTION
from latentlab.lens.targets import ANSWER, OTHER_OBJECT, OTHER_OPTION
from latentlab.measures.summary import ALL

STUDIES = (studies.LENSES,)

LENS = "logit lens"


def make(found: Found) -> Drawing:
    """The figure: a row for each object looked for, a column for each model."""
    results = found[studies.LENSES.name]
    lines = results.summary
    lines = lines[(lines["domain"] == ALL) & (lines["measure"] != ATTRIBUTION)]
    data = _cells(lines[lines["slot"] != "latent_vision"])
    hops = [name for name in names(data["target"]) if name.startswith("hop ")]
    targets = [*hops, OTHER_OBJECT] if hops else [ANSWER, OTHER_OPTION]
    data = data[data["target"].isin(targets)]
    models, rows, columns = names(data["model"]), _rows(data), _columns(data)
    height = 0.75 + (0.2 + 0.13 * len(rows)) * len(targets)
    figure, axes = canvas("double", height, len(targets), len(models), sharex=True, sharey=True)
    panels = [(target, model) for target in targets for model in models]
    for axis, (target, model) in zip(axes, panels, strict=True):
        shown = data[(data["target"] == target) & (data["model"] == model)]
        grid = shown.pivot(index="row", columns="column", values="top1")
        image = heat(axis, 100 * grid.reindex(index=rows, columns=columns), 0, 100)
        axis.set_title(model if target == targets[0] else "")
        axis.tick_params(axis="x", labelsize=6)
        if model == models[0]:
            axis.set_ylabel(target if target != OTHER_OBJECT else "off the walk")
    figure.colorbar(image, ax=axes, label="top token (%)", shrink=0.5, pad=0.01)
    shown = data[data["measure"] == LENS]
    caption = (
        "How often the object of a hop is the first token in the logit lens, in per cent of "
        f"questions: {sampled(shown, results.run['config']['data'])}. {WEIGHTS} A block of rows "
        "for each object; the last block is the control, an object of the same picture that the "
        "walk never meets. Within a block: the state after each layer, the latent text as it is "
        "fed in, and the token embedding nearest to it. Columns: the last position of the prompt, "
        "the newest slot of each latent step, off which the next one is made, and the answer "
        f"marker. Wilson intervals of 95 % {widest(data, 'top1')}. A state that reads as nothing "
        f"may hold much in directions that the unembedding does not show. {UNPUBLISHED}"
    )
    kept = ["model", "target", "measure", "column", "layer", "n", "top1", "top1_low", "top1_high"]
    return Drawing(figure, data[kept].reset_index(drop=True), caption)


def _cells(lines: pd.DataFrame) -> pd.DataFrame:
    """Lines with the row and the column of the heat map that they belong into."""
    column = "step " + lines["step"].astype(int).astype("str")
    column = column.mask(lines["step"] == 0, "prompt").mask(lines["slot"] == "answer", "answer")
    layer = "layer " + lines["layer"].fillna(0).astype(int).astype("str")
    row = layer.where(lines["measure"] == LENS, lines["measure"])
    return lines.assign(row=row, column=column)


def _rows(data: pd.DataFrame) -> list[str]:
    """Rows from top to bottom: the last layer first, what is fed in below the first one."""
    layers = data[data["measure"] == LENS].sort_values("layer", ascending=False)
    return [*names(layers["row"]), *(name for name in names(data["row"]) if "layer" not in name)]


def _columns(data: pd.DataFrame) -> list[str]:
    """Columns in the order of the sequence."""
    return names(data.sort_values("step", kind="stable")["column"])

"""Activation patching: how much of the answer each layer and slot carries.

Study: `patching` (`latentlab.patch`; Meng et al., arXiv 2202.05262): the residual stream of one run
is put into the run of a question with another answer, a layer and slot at a time. Controls: the
same cell from an unrelated question, and random positions of the prompt. The IVT-LR paper has no
counterpart; a study of CODI patches latent steps alike.
"""

import pandas as pd

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import UNPUBLISHED, WEIGHTS, of_sham, sampled, widest
from latentlab.figures.lines import names
from latentlab.figures.marks import heat
from latentlab.figures.style import canvas
from latentlab.measures.outcomes import SHAM
from latentlab.patch.cells import RANDOM
from latentlab.vocabulary import PATCH

STUDIES = (studies.PATCHING,)

MODES = {"restore": "restored", "corrupt": "corrupted"}

SOURCES = {
    "patch": "patched from the other run",
    "control": "control: from an unrelated question",
}

ROUNDED = 1e-9  # adding it turns a rounded -0 into 0


def make(found: Found) -> Drawing:
    """The figure: a row for each model and mode, the control beside the patch."""
    results = found[studies.PATCHING.name]
    data = _cells(results.summary)
    models, rows = names(data["model"]), _rows(data)
    modes = [mode for mode in MODES if mode in set(data["mode"])]
    columns = {side: _columns(data[data["from"] == side]) for side in SOURCES}
    sides = [side for side in SOURCES if columns[side]]
    pairs = [(model, mode) for model in models for mode in modes]
    height = 1.1 + (0.1 + 0.14 * len(rows)) * len(pairs)
    widths = [len(columns[side]) for side in sides]
    figure, axes = canvas(
        "double", height, len(pairs), len(sides), sharex="col", sharey=True, width_ratios=widths
    )
    panels = [(*pair, side) for pair in pairs for side in sides]
    for axis, (model, mode, side) in zip(axes, panels, strict=True):
        shown = data[(data[["model", "mode", "from"]] == [model, mode, side]).all(axis=1)]
        grid = shown.pivot(index="row", columns="column", values="recovery")
        grid = (100 * grid.reindex(index=rows, columns=columns[side])).round() + ROUNDED
        image = heat(axis, grid, 0, 100)
        axis.tick_params(axis="x", labelrotation=90)
        if (model, mode) == pairs[0]:
            axis.set_title(SOURCES[side])
        if side == sides[0]:
            axis.set_ylabel(f"{model}\n{MODES[mode]}")
    figure.colorbar(image, ax=axes, label="recovery (%)", shrink=0.4, pad=0.01)
    caption = (
        "Activation patching of the residual stream, layer by slot: "
        f"{sampled(data, results.run['config']['data'], 'pairs of questions')}. {WEIGHTS} "
        "Restored: activations of the clean run are put into the corrupt run; corrupted: the "
        "reverse. Recovery is the share of the logit difference between the two answers that a "
        "patch brings along (restored) or leaves (corrupted): 100 % is the clean run, 0 the "
        "corrupt one. Right: the same cell from an unrelated question. Mere erasure reads about 50 "
        "%, so a cell carries the answer as far as it is above this control where restored, and "
        "below it where corrupted. `input` is what goes into the first layer, at a latent's slot "
        "the latent itself; random: as many positions of the prompt drawn for each question. What "
        "follows a patched slot is made anew, so an early one may read high through a later one. "
        "Empty cells: slots that a model does not have, or runs that do not differ measurably. "
        f"{_sham(results.summary)} Intervals of "
        f"95 % (paired bootstrap over pairs) {widest(data, 'recovery')}. {UNPUBLISHED}"
    )
    kept = ["model", "mode", "from", "slot", "layer", "component", "n", "recovery"]
    kept += ["recovery_low", "recovery_high"]
    return Drawing(figure, data[kept].reset_index(drop=True), caption)


def _cells(summary: pd.DataFrame) -> pd.DataFrame:
    """Cells of the residual stream with their row and column."""
    stream = summary["component"].isin(["resid_pre", "resid_post"]) & summary["head"].isna()
    data = summary[stream & summary["mode"].isin(list(MODES))]
    random = data["control"] == RANDOM
    column = data["slot"].where(data["control_of"] == "", data["control_of"])
    layer = "layer " + data["layer"].astype(int).astype("str")
    side = data["kind"].eq(PATCH) | random
    return data.assign(
        column=column.mask(random, data["n_positions"].astype(str) + " random"),
        row=layer.where(data["component"] == "resid_post", "input"),
        **{"from": side.map({True: "patch", False: "control"})},
    )


def _rows(data: pd.DataFrame) -> list[str]:
    """Rows from top to bottom: the last layer first, the input last."""
    layers = data[data["component"] == "resid_post"].sort_values("layer", ascending=False)
    return [*names(layers["row"]), *(["input"] if (data["row"] == "input").any() else [])]


def _columns(data: pd.DataFrame) -> list[str]:
    """Slots in the order of the model that has most of them, and then those of the others."""
    of_models = [names(group["column"]) for _, group in data.groupby("model", sort=False)]
    every = [name for of in sorted(of_models, key=len, reverse=True) for name in of]
    return sorted(names(every), key=lambda name: name.endswith("random"))


def _sham(summary: pd.DataFrame) -> str:
    """What the sham did, for the caption."""
    shams = summary[summary["control"] == SHAM]
    moved = shams[["indirect_effect", "indirect_effect_low", "indirect_effect_high"]]
    return f"A run's own activations put back into every slot (sham) change {of_sham(moved)}."

"""Activation patching: how much of the answer each layer and slot carries beyond its control.

Study: `patching` (`latentlab.patch`; Meng et al., arXiv 2202.05262): the residual stream of one run
is put into the run of a question with another answer, a layer and slot at a time. Controls: the
same cell from an unrelated question, and random positions of the prompt. The IVT-LR paper has no
counterpart; a study of CODI patches latent steps alike.
"""

import numpy as np
import pandas as pd

from latentlab.figures import studies
from latentlab.figures.against import recovery_beyond, with_controls
from latentlab.figures.artifacts import Drawing
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import of_sham, sampled, widest
from latentlab.figures.lines import names
from latentlab.figures.marks import heat
from latentlab.figures.style import canvas
from latentlab.measures.outcomes import SHAM
from latentlab.patch.cells import RANDOM
from latentlab.wording import joined

PART = "appendix"

STUDIES = (studies.PATCHING,)

CELL = ["model", "slot", "step", "layer", "component"]
"""Columns that name a cell of the grid."""

NOTHING = dict.fromkeys(("beyond", "beyond_low", "beyond_high"), float("nan"))
"""What is recovered where the two runs do not differ measurably."""


def make(found: Found) -> Drawing:
    """The figure: a panel for each model, layers by slots."""
    results = found[studies.PATCHING.name]
    rows = results.rows
    stream = rows["component"].isin(["resid_pre", "resid_post"]) & rows["head"].isna()
    pairs = with_controls(rows[stream & (rows["mode"] == "restore")], ["patched"])
    lines = []
    for key, group in pairs.groupby(CELL, sort=False, dropna=False):
        beyond = recovery_beyond(group)
        numbers = NOTHING if beyond is None else beyond.columns("beyond")
        lines.append(dict(zip(CELL, key, strict=True)) | {"n": len(group)} | numbers)
    data = pd.DataFrame(lines)
    layer = "layer " + data["layer"].astype(str)
    data["row"] = layer.where(data["component"] == "resid_post", "input")
    models, order = names(data["model"]), _rows(data)
    slots = {model: names(data.loc[data["model"] == model, "slot"]) for model in models}
    figure, axes = canvas(
        "double", 1.1 + 0.15 * len(order), 1, len(models), sharey=True,
        width_ratios=[len(slots[model]) for model in models],
    )  # fmt: skip
    highest = 10 * max(1, int(np.ceil(10 * data["beyond"].fillna(0).max())))
    for axis, model in zip(axes, models, strict=True):
        grid = data[data["model"] == model].pivot(index="row", columns="slot", values="beyond")
        grid = (100 * grid).round() + 0.0  # no -0
        image = heat(axis, grid.reindex(index=order, columns=slots[model]), 0, highest)
        axis.tick_params(axis="x", labelrotation=90)
        axis.set_title(model)
    figure.colorbar(image, ax=axes, label="beyond control (%)", pad=0.01)
    caption = (
        f"{_finding(data, models)}\n\n"
        "Activations put into a run with another answer: "
        f"{sampled(data, results.run['config']['data'], 'pairs of questions')}. Share of the "
        "way between the answers that a cell brings along, minus that of an unrelated question's "
        f"cell. {_controls(results.summary)} Intervals of 95 % "
        f"{widest(data, 'beyond')}."
    )
    return Drawing(figure, data.drop(columns="row"), caption)


def _rows(data: pd.DataFrame) -> list[str]:
    """Rows from top to bottom: the last layer first, the input last."""
    layers = data[data["component"] == "resid_post"].sort_values("layer", ascending=False)
    return [*names(layers["row"]), *(["input"] if (data["row"] == "input").any() else [])]


def _finding(data: pd.DataFrame, models: list[str]) -> str:
    """The latent of each model that carries most as it is fed in."""
    fed = data[(data["row"] == "input") & data["step"].notna() & data["beyond"].notna()]
    if fed.empty:
        return f"Nothing can be recovered: the runs of {data['n'].max()} pairs hardly differ."
    best = [fed[fed["model"] == model].nlargest(1, "beyond") for model in models]
    told = [
        f"{line['slot']} of {line['model']} ({100 * line['beyond']:.0f} %)"
        for lines in best
        for _, line in lines.iterrows()
    ]
    return f"The latent that brings most of the other answer along as it is fed in: {joined(told)}."


def _controls(summary: pd.DataFrame) -> str:
    """What the other controls did, for the caption."""
    restored = summary["mode"] == "restore"
    random = summary.loc[restored & (summary["control"] == RANDOM), "recovery"].abs().max()
    shams = summary[summary["control"] == SHAM]
    moved = shams[["indirect_effect", "indirect_effect_low", "indirect_effect_high"]]
    prompt = "" if pd.isna(random) else f"random prompt positions bring {100 * random:.0f} %"
    sham = f"the sham changes {of_sham(moved)}"
    text = "; ".join(filter(None, [prompt, sham]))
    return text[0].upper() + text[1:] + "."

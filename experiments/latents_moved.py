"""How far each latent moves when the input is perturbed, next to an ordinary token.

Study: `mediation` (`latentlab.mediation`): distance of each step's latent text from itself on the
clean input, in standard deviations of its slot. Reference: the residual stream at the prompt's last
position; sham: the zero perturbation. The study has cruder perturbations and the picks that stay as
well. Xiao et al. (2026, ReaLVR) report 1.6e-4 as cosine distance of LVR's latents when a colour
changes.
"""

import numpy as np
import pandas as pd

from latentlab.console import typeset
from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import of_sham, perturbations_in, sampled
from latentlab.figures.lines import names
from latentlab.figures.marks import heat
from latentlab.figures.style import canvas
from latentlab.measures.summary import ALL
from latentlab.mediation.summary import MOVEMENT, single_hops
from latentlab.wording import joined

PART = "appendix"

STUDIES = (studies.MEDIATION,)

ORDINARY = "prompt"
"""Column of the ordinary token, before those of the steps."""

SHOWN = ("other_image", "relink", "mask_other")
"""Perturbations that carry the message: everything changed, one mark, and one that does not matter;
others are shown where none of these was run."""

UNRELATED = float(np.sqrt(2))
"""Distance of two unrelated examples in standard deviations."""


def make(found: Found) -> Drawing:
    """The figure: a panel for each model, perturbations by steps."""
    results = found[studies.MEDIATION.name]
    lines = results.summary
    lines = single_hops(lines[(lines["domain"] == ALL) & (lines["measure"] == MOVEMENT)])
    lines = lines.assign(perturbation=lines["label"])
    sham = lines["perturbation"] == "none"
    still = of_sham(lines.loc[sham, ["cosine", "centred", "sd"]])
    kind = lines["perturbation"].str.split().str[0]
    shown = kind.isin(SHOWN) if kind.isin(SHOWN).any() else ~sham
    data = _moved(lines[shown])
    rows, models, columns = _rows(data), names(data["model"]), names(data["column"])
    figure, axes = canvas("double", 0.75 + 0.17 * len(rows), 1, len(models), sharey=True)
    for axis, model in zip(axes, models, strict=True):
        grid = data[data["model"] == model]
        grid = grid.pivot(index="perturbation", columns="column", values="sd")
        image = heat(
            axis, grid.reindex(index=list(rows), columns=columns), 0, UNRELATED, form="{:.1f}"
        )
        axis.set_yticks(range(len(rows)), list(rows.values()))
        axis.set_title(model)
    figure.colorbar(image, ax=axes, label="moved by (SD)", pad=0.01)
    caption = (
        f"{_finding(data, models)}\n\n"
        "Root mean square change of the latent text when the input is perturbed, in standard "
        f"deviations of its slot: {sampled(data, results.run['config']['data'])}; two unrelated "
        "questions are 1.4 apart. First column: the last token of the prompt. The sham moves "
        f"{still}. Intervals of 95 % reach at most {_reach(data):.2f} to either side."
    )
    return Drawing(figure, data, caption)


def _moved(lines: pd.DataFrame) -> pd.DataFrame:
    """Distances of latent text by step, the ordinary token before them."""
    lines = lines[lines["part"].isin(("latent_text", "ordinary")) & lines["sd"].notna()]
    step = "step " + lines["steps"].astype("str")
    lines = lines.assign(column=step.where(lines["part"] != "ordinary", ORDINARY))
    lines = lines.sort_values("column", kind="stable")
    columns = ["model", "perturbation", "column", "n", "sd", "sd_low", "sd_high"]
    return lines[columns].reset_index(drop=True)


def _rows(data: pd.DataFrame) -> dict[str, str]:
    """Perturbations and their labels, what does not matter last."""
    labels = perturbations_in(data)
    order = sorted(labels, key=lambda name: name.startswith("mask_other"))
    return {name: labels[name] for name in order}


def _reach(data: pd.DataFrame) -> float:
    return float((data["sd_high"] - data["sd_low"]).max()) / 2


def _finding(data: pd.DataFrame, models: list[str]) -> str:
    """How far latents move from the step of a changed mark on, and before it."""
    steps = data[data["column"] != ORDINARY]
    changed = steps[steps["perturbation"].str.startswith("relink hop ")]
    if changed.empty:
        most = steps.nlargest(1, "sd").iloc[0]
        return f"{most['column'].capitalize()} moves most, by {typeset(most['sd'], 2)} SD."
    later = changed["column"].str[5:].astype(int) >= changed["perturbation"].str[11:].astype(int)
    means = changed.groupby(["model", later])["sd"].mean()
    told = [
        f"{typeset(means[model, True], 2)} SD ({model}; before it "
        f"{typeset(means[model, False], 2)})"
        for model in models
        if (model, True) in means and (model, False) in means
    ]
    return f"A mark changed at one hop moves the latents from that step on by {joined(told)}."

"""Both shares of an input's effect that go with single latent steps, and with the first ones.

Study: `mediation-steps` (`latentlab.mediation`): the cell that a hop has to read is hidden
(`mask_needed`, each hop on its own), or the question starts elsewhere (`restart`). Shares are mean
pure indirect, and mean total indirect, by mean total effect on log-odds. Steps before the hidden
hop are the control: they must carry nothing of it. There is no such figure in the IVT-LR paper.
"""

from textwrap import fill

import pandas as pd

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.dots import HOLLOW, offsets
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import (
    UNPUBLISHED,
    WEIGHTS,
    legend,
    perturbations_in,
    sampled,
    without_repeats,
)
from latentlab.figures.lines import names
from latentlab.figures.marks import draw_intervals
from latentlab.figures.style import MUTED, canvas, look
from latentlab.measures.summary import ALL
from latentlab.mediation.summary import EFFECT, single_hops
from latentlab.vocabulary import PARTS

STUDIES = (studies.MEDIATION_STEPS,)

SETS = {"each": "step alone", "cumulative": "steps up to"}
"""Sets of steps, and what their axis is called."""

SHARES = {"nie_share": {}, "tie_share": HOLLOW | {"linestyle": ":"}}
"""Both shares and their looks."""


def make(found: Found) -> Drawing:
    """The figure: a row for each perturbation, two columns for each model."""
    results = found[studies.MEDIATION_STEPS.name]
    lines = results.summary
    whole = (lines["domain"] == ALL) & (lines["outcome"] == "log_odds")
    vectors = lines["measure"].eq(EFFECT) & lines["mediator"].eq("latents")
    lines = single_hops(lines[whole & vectors & lines["perturbation"].ne("none")])
    data = _by_last_step(without_repeats(lines.assign(perturbation=lines["label"])))
    rows, models = perturbations_in(data), names(data["model"])
    figure, axes = canvas(
        "double", 0.75 + 1.15 * len(rows), len(rows), 2 * len(models), sharex=True, sharey=True
    )
    panels = [(row, model, steps) for row in rows for model in models for steps in SETS]
    looks = {part: look(i + 3) for i, part in enumerate(PARTS)}
    curves = [(part, share) for part in PARTS for share in SHARES]
    shifts = dict(zip(curves, offsets(len(curves), 0.5), strict=True))
    for axis, (row, model, steps) in zip(axes, panels, strict=True):
        shown = data[(data[["perturbation", "model", "set"]] == [row, model, steps]).all(axis=1)]
        for part, share in curves:
            curve, style = shown[shown["part"] == part], looks[part] | SHARES[share]
            draw_intervals(axis, curve["last"] + shifts[part, share], curve, share, 100, **style)
        for level in (0, 100):
            axis.axhline(level, color=MUTED, linewidth=0.6, zorder=0)
        axis.set_xticks(sorted(set(data["last"])))
        axis.margins(x=0.15)
        if row == next(iter(rows)):
            axis.set_title(model)
        if row == list(rows)[-1]:
            axis.set_xlabel(SETS[steps])
    for axis, label in zip(axes[:: 2 * len(models)], rows.values(), strict=True):
        axis.set_ylabel(fill(label, 16))
    figure.supylabel("share of effect (%)", fontsize="small")
    marks = {PARTS[part]: looks[part] for part in PARTS if part in set(data["part"])}
    marks["hollow: total indirect (TE - NDE)"] = look(8) | SHARES["tie_share"]
    legend(figure, axes[0], marks, 4)
    ends = [f"{share}{end}" for share in SHARES for end in ("", "_low", "_high")]
    columns = ["model", "perturbation", "part", "set", "last", "n", *ends]
    data = data[columns].reset_index(drop=True)
    caption = (
        "Shares of the total effect of a changed input that go with the latents of one step "
        "(left panel of each model) or of the first steps (right), by part: "
        f"{sampled(data, results.run['config']['data'])}. {WEIGHTS} Filled: mean pure indirect "
        "effect (what the other latents do to the unchanged input) by mean total effect on the "
        "log-odds of the answer preferred before; hollow: mean total indirect effect (what keeping "
        "the latents averts). Bars are 95 % intervals of a paired bootstrap over questions. What "
        "follows a taken step is made anew from it, so that the effect through one step includes "
        "what it passes on, and shares of steps do not add up. A cell hidden at a hop does not "
        "concern the latent text of earlier steps, which is the control; patches re-inserted "
        "before may show the cell itself. Perturbations without measurable total effect have no "
        f"share. {UNPUBLISHED}"
    )
    return Drawing(figure, data, caption)


def _by_last_step(lines: pd.DataFrame) -> pd.DataFrame:
    """Lines with the sort of steps taken (`set`) and the last of them (`last`).

    The first step alone is also the shortest run of first steps, and all steps are the longest.
    """
    movement = lines["steps"].where(lines["steps"] != ALL).str.split("..", regex=False).str[-1]
    last = movement.astype(float)
    last = last.fillna(last.max()).astype(int)
    lines = lines.assign(last=last)
    single = lines["steps"].str.isdigit() | (last == 1)
    first = ~lines["steps"].str.isdigit() | (last == 1)
    parts = [lines[single].assign(set="each"), lines[first].assign(set="cumulative")]
    return pd.concat(parts).sort_values("last", kind="stable")

"""The share of an input's effect that runs through single latent steps, and through the first ones.

Study: `mediation-steps` (`latentlab.mediation`): one mark of the picture names another object
(`relink`, at the middle hop), or the question starts elsewhere (`restart`). Share is mean natural
indirect effect by mean total effect on log-odds. Steps before the changed hop are the control of
`relink`: they must carry nothing of it. There is no such figure in the IVT-LR paper.
"""

import pandas as pd

from latentlab.measures.effect_lines import EFFECT
from latentlab.measures.summary import ALL
from latentlab.paper import studies
from latentlab.paper.artifacts import Drawing
from latentlab.paper.dots import offsets
from latentlab.paper.experiment import Found
from latentlab.paper.instruments import (
    UNPUBLISHED,
    WEIGHTS,
    legend,
    perturbations_in,
    sampled,
    without_repeats,
)
from latentlab.paper.lines import PARTS, names
from latentlab.paper.style import canvas, draw_intervals, look

STUDIES = (studies.MEDIATION_STEPS,)

SETS = {"each": "step alone", "cumulative": "steps up to"}
"""Sets of steps, and what their axis is called."""


def make(found: Found) -> Drawing:
    """The figure: a row for each perturbation, two columns for each model."""
    results = found[studies.MEDIATION_STEPS.name]
    lines = results.summary
    whole = (lines["domain"] == ALL) & (lines["outcome"] == "log_odds")
    shared = lines["measure"].eq(EFFECT) & lines["mediator"].eq("latents")
    data = _by_last_step(without_repeats(lines[whole & shared & lines["perturbation"].ne("none")]))
    rows, models = perturbations_in(data), names(data["model"])
    figure, axes = canvas(
        "double", 0.75 + 1.3 * len(rows), len(rows), 2 * len(models), sharex=True, sharey=True
    )
    panels = [(row, model, steps) for row in rows for model in models for steps in SETS]
    looks = {part: look(i + 3) for i, part in enumerate(PARTS)}
    shifts = dict(zip(PARTS, offsets(len(PARTS), 0.3), strict=True))
    for axis, (row, model, steps) in zip(axes, panels, strict=True):
        shown = data[(data[["perturbation", "model", "set"]] == [row, model, steps]).all(axis=1)]
        for part in looks:
            curve = shown[shown["part"] == part]
            draw_intervals(axis, curve["last"] + shifts[part], curve, "share", 100, **looks[part])
        for level in (0, 100):
            axis.axhline(level, color="#999999", linewidth=0.6, zorder=0)
        axis.set_xticks(sorted(set(data["last"])))
        axis.margins(x=0.15)
        if row == next(iter(rows)):
            axis.set_title(model)
        if row == list(rows)[-1]:
            axis.set_xlabel(SETS[steps])
    for axis, label in zip(axes[:: 2 * len(models)], rows.values(), strict=True):
        axis.set_ylabel(f"{label}:\nshare of effect (%)")
    legend(figure, axes[0], {PARTS[p]: looks[p] for p in PARTS if p in set(data["part"])}, 3)
    columns = ["model", "perturbation", "part", "set", "last", "n"]
    data = data[[*columns, "share", "share_low", "share_high"]].reset_index(drop=True)
    caption = (
        "Share of the total effect of a changed input that runs through the latents of one step "
        "(left panel of each model) or of the first steps (right), by part: "
        f"{sampled(data, results.run['config']['data'])}. {WEIGHTS} Mean natural indirect by mean "
        "total effect on the log-odds of the answer preferred before, bars are 95 % intervals of a "
        "paired bootstrap over questions. What follows a taken step is made anew from it, so that "
        "the effect through one step includes what it passes on, and shares of steps do not add "
        "up. A mark changed at the middle hop does not concern the latent text of earlier steps, "
        "which is the control; patches re-inserted before may show the mark itself. Perturbations "
        f"without measurable total effect have no share. {UNPUBLISHED}"
    )
    return Drawing(figure, data, caption)


def _by_last_step(lines: pd.DataFrame) -> pd.DataFrame:
    """Lines with the sort of steps taken (`set`) and the last of them (`last`).

    The first step alone is also the shortest run of first steps, and all steps are the longest.
    """
    movement = lines["steps"].where(lines["steps"] != ALL)
    count = movement.str.split("+").explode().dropna().astype(int).max()
    last = movement.str.split("+").str[-1].astype(float).fillna(count).astype(int)
    lines = lines.assign(last=last)
    single = lines["steps"].str.isdigit() | (last == 1)
    first = ~lines["steps"].str.isdigit() | (last == 1)
    parts = [lines[single].assign(set="each"), lines[first].assign(set="cumulative")]
    return pd.concat(parts).sort_values("last", kind="stable")

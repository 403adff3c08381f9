"""Total, direct and indirect effect of input perturbations, and the share through the latents.

Study: `mediation` (`latentlab.mediation`): natural effects on the log-odds of the answer preferred
on the clean input (Pearl 2001; Vig et al., arXiv 2004.12265). Sham: the zero perturbation; control:
a cell off the walk hidden instead of the needed one. CapImagine (arXiv 2602.22766) asks input ->
latent and latent -> answer one by one, of other models, and finds neither.
"""

import pandas as pd

from latentlab.measures.effects import EFFECT
from latentlab.measures.summary import ALL
from latentlab.paper import studies
from latentlab.paper.artifacts import Drawing
from latentlab.paper.dots import HOLLOW, draw_dots
from latentlab.paper.experiment import Found
from latentlab.paper.instruments import (
    WEIGHTS,
    legend,
    of_sham,
    perturbations_in,
    sampled,
    without_repeats,
)
from latentlab.paper.lines import PARTS, names
from latentlab.paper.style import canvas, look

STUDIES = (studies.MEDIATION,)

EFFECTS = {"te": "total", "nde": "direct", "nie": "indirect"}

MEDIATORS = {"latents": {}, "slots": HOLLOW}

WIDEST = 1.0
"""Shares whose interval is wider rest on next to no effect and are left out."""


def make(found: Found) -> Drawing:
    """The figure: a column for each model; effects above, shares of each part below."""
    results = found[studies.MEDIATION.name]
    lines = results.summary
    whole = (lines["domain"] == ALL) & (lines["outcome"] == "log_odds") & (lines["steps"] == ALL)
    lines = lines[whole & (lines["measure"] == EFFECT)]
    rows, models = perturbations_in(lines), names(lines["model"])
    effects, shares = _effects(lines), _shares(lines)
    effect_looks = {name: look(i) for i, name in enumerate(EFFECTS.values())}
    share_looks = {
        f"{PARTS[part]}, {mediator}": look(i + 3) | style | {"linestyle": "none"}
        for i, part in enumerate(PARTS)
        for mediator, style in MEDIATORS.items()
    }
    height = 1.0 + 0.32 * len(rows)
    figure, axes = canvas(
        "double", 2 * height, 2, len(models), sharex="row", sharey="row", height_ratios=(1, 1.3)
    )
    for axis, model in zip(axes, models, strict=False):
        draw_dots(axis, effects[effects["model"] == model], rows, effect_looks, "value", 1)
        axis.set(title=model, xlabel="effect on log-odds (nats)")
    for axis, model in zip(axes[len(models) :], models, strict=True):
        draw_dots(axis, shares[shares["model"] == model], rows, share_looks, "value", 100)
        axis.axvline(100, color="#999999", linewidth=0.6, zorder=0)
        axis.set_xlabel("share of total effect (%)")
    marks = {
        f"{name} effect": {**style, "linestyle": "none"} for name, style in effect_looks.items()
    }
    marks |= {
        f"share of {PARTS[p]}": look(i + 3) | {"linestyle": "none"} for i, p in enumerate(PARTS)
    }
    marks["hollow: through the whole slots"] = look(0) | HOLLOW | {"linestyle": "none"}
    legend(figure, axes[0], marks, 4)
    data = pd.concat([effects, shares])
    data = data.rename(columns={"row": "perturbation"}).reset_index(drop=True)
    caption = (
        f"Causal mediation: {sampled(lines, results.run['config']['data'])}. {WEIGHTS} Above: what "
        "a perturbed input does to the log-odds of the answer that the model preferred before "
        "(total effect), what it does while the latents stay as they were (natural direct effect), "
        "and what the latents of the perturbed input do alone (natural indirect effect), latent "
        "text and vision together. Below: mean indirect by mean total effect, for each part of the "
        "latents as vectors (filled) and with all that happens at their positions (hollow). The "
        f"sham changes {of_sham(lines.loc[lines['perturbation'] == 'none', list(EFFECTS)])} and "
        "has no share. Hiding another cell is the control of "
        "hiding the needed one. Shares whose interval is wider than 100 points are left out, since "
        "there is next to no effect to share. A part that is taken alone includes what "
        "follows from it in the other; parts need not add up. Bars are 95 % bootstrap intervals "
        "over questions. Shares near 100 % of both direct and indirect effect mean that either "
        "input alone spoils the answer. Published for other models (CapImagine, arXiv 2602.22766): "
        "latents nearly alike on all inputs, and answers that hardly change with latents."
    )
    return Drawing(figure, data, caption)


def _effects(lines: pd.DataFrame) -> pd.DataFrame:
    """One line for each effect that all latents together have or leave."""
    together = lines[(lines["part"] == "latent") & (lines["mediator"] == "latents")]
    parts = []
    for name, label in EFFECTS.items():
        ends = {f"{name}{end}": f"value{end}" for end in ("", "_low", "_high")}
        parts.append(together.rename(columns=ends).assign(series=label, measure=name))
    return _kept(pd.concat(parts))


def _shares(lines: pd.DataFrame) -> pd.DataFrame:
    """One line for each share that there is; where nothing changes there is none."""
    there = without_repeats(lines)
    wide = there["share_high"] - there["share_low"] > WIDEST
    there = there[there["share"].notna() & ~wide & there["part"].isin(list(PARTS))]
    ends = {f"share{end}": f"value{end}" for end in ("", "_low", "_high")}
    series = there["part"].map(PARTS) + ", " + there["mediator"]
    return _kept(there.rename(columns=ends).assign(series=series, measure="share"))


def _kept(lines: pd.DataFrame) -> pd.DataFrame:
    lines = lines.assign(row=lines["perturbation"])
    columns = ["model", "row", "measure", "series", "mediator", "part", "n"]
    return lines[[*columns, "value", "value_low", "value_high"]]

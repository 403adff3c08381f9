"""What changed inputs do to the answer, and what is left while the latents stay as they were.

Study: `mediation` (`latentlab.mediation`): the total effect on the log-odds of the answer preferred
on the clean input, and the natural direct effect with all latents kept. These are the effects of
which `mediation` shows the shares. Sham: the zero perturbation; control: a cell off the walk hidden
instead of the needed one.
"""

import pandas as pd

from latentlab.console import typeset
from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing, caption
from latentlab.figures.dots import HOLLOW, draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import (
    WEIGHTS,
    legend,
    of_sham,
    perturbation_label,
    perturbations_in,
)
from latentlab.figures.lines import names
from latentlab.figures.mediated import marks, whole_effects
from latentlab.figures.style import canvas, look_of
from latentlab.wording import joined

PART = "appendix"
STUDIES = (studies.MEDIATION,)

EFFECTS = {"te": "total effect", "nde": "direct effect, latents kept"}
"""Filled and hollow marks."""


def make(found: Found) -> Drawing:
    """The figure: a panel for each model, a row for each input."""
    results = found[studies.MEDIATION.name]
    lines = whole_effects(results.summary)
    lines = lines[(lines["part"] == "latent") & (lines["mediator"] == "latents")]
    rows, models = perturbations_in(lines), names(lines["model"])
    data = marks(lines, EFFECTS)
    drawn = data.assign(row=data["perturbation"], series=data["measure"])
    height = 0.9 + 0.2 * len(rows)
    figure, axes = canvas("double", height, 1, len(models), sharex=True, sharey=True)
    for axis, model in zip(axes, models, strict=True):
        style = look_of(model, models)
        looks = {"te": style, "nde": style | HOLLOW}
        draw_dots(axis, drawn[drawn["model"] == model], rows, looks, "value", 1)
        axis.set_title(model)
    figure.supxlabel("change in log-odds of the answer (nats)", fontsize=7.5)
    grey = look_of(models[0], models) | {"linestyle": "none"}
    legend(figure, axes[0], {EFFECTS["te"]: grey, EFFECTS["nde"]: grey | HOLLOW}, 2)
    sham = lines.loc[lines["perturbation"] == "none", ["te", "nde", "nie", "tie"]]
    text = (
        "Total effect of a changed input on the log-odds of the answer preferred before, and what "
        f"is left with all latents kept. 95 % intervals over {data['n'].min()} questions of "
        f"{results.run['config']['data']} at least. {WEIGHTS} The sham changes {of_sham(sham)}; "
        "the control hides a cell off the walk."
    )
    return Drawing(figure, data, caption(_finding(data), text))


def _finding(data: pd.DataFrame) -> str:
    """What most is left of in each model with all latents kept."""
    told = []
    for model, of_model in data.groupby("model", sort=False):
        effects = of_model.pivot_table("value", "perturbation", "measure")
        strongest = str(effects["nde"].abs().idxmax())
        direct, total = (
            typeset(effects.loc[strongest, name], 1, sign=True) for name in ("nde", "te")
        )
        told.append(f"{direct} of {total} nats ({model}, {perturbation_label(strongest)})")
    return f"With all latents kept, what is left of a changed input is at most {joined(told)}."

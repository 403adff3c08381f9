"""How far each latent moves when the input is perturbed, next to an ordinary token.

Study: `mediation` (`latentlab.mediation`): distance of each step's latent text from itself on the
clean input, in standard deviations of its slot, and the share of picked patches that are picked
again. Reference: the residual stream at the prompt's last position; sham: the zero perturbation.
Xiao et al. (2026, ReaLVR) report 1.6e-4 as cosine distance of LVR's latents when a colour changes.
"""

import numpy as np
import pandas as pd

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.dots import HOLLOW, draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import WEIGHTS, legend, of_sham, perturbations_in, sampled
from latentlab.figures.lines import names
from latentlab.figures.style import MUTED, canvas, look
from latentlab.measures.summary import ALL
from latentlab.mediation.summary import MOVEMENT, single_hops

STUDIES = (studies.MEDIATION,)

ORDINARY = "ordinary token"

UNRELATED = float(np.sqrt(2))
"""Distance of two unrelated examples in standard deviations."""

PANELS = {
    "latent_text": ("sd", 1, "latent text moved (SD)"),
    "picks": ("kept", 100, "picks that stay (%)"),
}
"""Column and scale of each kind of movement, and what its axis is called."""


def make(found: Found) -> Drawing:
    """The figure: a column for each model, a row for each kind of movement that there is."""
    results = found[studies.MEDIATION.name]
    lines = results.summary
    lines = single_hops(lines[(lines["domain"] == ALL) & (lines["measure"] == MOVEMENT)])
    lines = lines.assign(perturbation=lines["label"])
    rows, models = perturbations_in(lines), names(lines["model"])
    drawn = pd.concat([_moved(lines, *panel) for panel in PANELS.items()], ignore_index=True)
    panels = [panel for panel in PANELS if (drawn["panel"] == panel).any()]
    steps = sorted(set(drawn["series"]) - {ORDINARY})
    looks = {ORDINARY: look(8) | HOLLOW} | {name: look(i) for i, name in enumerate(steps)}
    height = 0.55 + (0.45 + 0.27 * len(rows)) * len(panels)
    figure, axes = canvas("double", height, len(panels), len(models), sharex="row", sharey="row")
    for i, panel in enumerate(panels):
        _, scale, title = PANELS[panel]
        for axis, model in zip(axes[i * len(models) :], models, strict=False):
            shown = drawn[(drawn["panel"] == panel) & (drawn["model"] == model)]
            if shown.empty:
                axis.set_axis_off()
                continue
            draw_dots(axis, shown, rows, looks, "value", scale)
            axis.set_xlabel(title)
            if panel == "latent_text":
                axis.axvline(UNRELATED, color=MUTED, linewidth=0.8, linestyle=":", zorder=0)
    for axis, model in zip(axes, models, strict=False):
        axis.set_title(model)
    marks = {name: {**style, "linestyle": "none"} for name, style in looks.items()}
    marks["two unrelated questions"] = {"color": MUTED, "linestyle": ":"}
    legend(figure, axes[0], marks, len(marks))
    caption = (
        "Movement of the latents when the input is perturbed, step by step: "
        f"{sampled(drawn, results.run['config']['data'])}. {WEIGHTS} Above: root mean square over "
        "dimensions of the change of the latent text, each in standard deviations of the slot over "
        "questions; two unrelated questions are about 1.4 apart (dotted). Hollow: the residual "
        "stream at the prompt's last position in the middle layer, an ordinary token. Below: how "
        "many of a step's picked patches are picked again, of models that re-insert patches; where "
        "picks are given with the question, it tells whether the walk changed. The sham moves "
        f"{of_sham(lines.loc[lines['perturbation'] == 'none', ['cosine', 'centred', 'sd']])}. A "
        "mark changed or a cell hidden at one hop concerns the latents from that step on; "
        "a cell off the walk is the control. Bars are 95 % bootstrap intervals "
        "over questions. Movement does not show that an answer depends on it (`mediation`). "
        "Published of LVR (Xiao et al. 2026, ReaLVR): its latents move by a cosine distance of "
        "1.6e-4 when an object changes its colour."
    )
    return Drawing(figure, drawn, caption)


def _moved(lines: pd.DataFrame, panel: str, how: tuple[str, float, str]) -> pd.DataFrame:
    """Lines of one panel, the ordinary token beside latent text."""
    column, _, _ = how
    parts = [panel, "ordinary"] if panel == "latent_text" else [panel]
    lines = lines[lines["part"].isin(parts) & lines[column].notna()]
    step = "step " + lines["steps"].astype("str")
    lines = lines.assign(
        panel=panel,
        measure=column,
        row=lines["perturbation"],
        series=step.where(lines["part"] != "ordinary", ORDINARY),
    )
    ends = {f"{column}{end}": f"value{end}" for end in ("", "_low", "_high")}
    columns = ["model", "panel", "measure", "row", "series", "n", *ends.values()]
    return lines.rename(columns=ends)[columns]

"""What knock-outs at inference leave of the accuracy, model by model.

Studies: `knockouts` and `knockouts-one-hop` (`latentlab.ablate`): the latent text, the latent
vision or both are left out (`drop`), or come from another question (`other`). What is left out
leaves a hole in the positions, or lets them close up, or keeps its slots with the placeholder token
in them. Strict accuracy. The paper's Table 2 is about retrained systems and is no counterpart: see
`retrained_arms`.
"""

import pandas as pd
from matplotlib.axes import Axes

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing, caption
from latentlab.figures.dots import POSITION_LABELS, POSITIONS, offsets
from latentlab.figures.experiment import Found
from latentlab.figures.lines import INFERENCE, names, overall, untouched, with_arms
from latentlab.figures.marks import draw_intervals
from latentlab.figures.style import GRID, INK, MUTED, canvas, look_of
from latentlab.vocabulary import CONTROL
from latentlab.wording import joined

PART = "main"
STUDIES = (studies.KNOCKOUTS, studies.KNOCKOUTS_ONE_HOP)

ARMS = {
    "drop latent_text": "without latent text",
    "drop latent_vision": "without latent vision",
    "drop latent": "without latents",
    "other latent": "another question's latents",
}
"""What is done, a panel each."""


def make(found: Found) -> Drawing:
    """The figure: a panel for each knock-out, a row for each model, a mark by positions."""
    lines = with_arms(pd.concat([overall(found[study.name].summary) for study in STUDIES]))
    lines = lines[(lines["kind"] != CONTROL) | (lines["positions"] != "")]
    rows = list(lines[["model", "data"]].drop_duplicates().itertuples(index=False, name=None))
    models = names(lines["model"])
    figure, axes = canvas("double", 0.9 + 0.3 * len(rows), 1, len(ARMS), sharex=True, sharey=True)
    drawn = [untouched(lines)]
    for axis, (arm, title) in zip(axes, ARMS.items(), strict=True):
        for place, (model, data) in enumerate(rows):
            of_model = lines[(lines["model"] == model) & (lines["data"] == data)]
            level = 100 * float(untouched(of_model)["accuracy"].iloc[0])
            chosen = of_model[of_model["arm"] == arm]
            if len(chosen):
                axis.vlines(level, place - 0.36, place + 0.36, color=MUTED, linewidth=1.4, zorder=0)
            rules = [rule for rule in POSITIONS if rule in set(chosen["positions"])] or [""]
            for shift, rule in zip(offsets(len(rules), 0.5), rules, strict=True):
                marks = chosen[chosen["positions"] == rule]
                style = look_of(model, models) | (POSITIONS[rule] if rule else {})
                places = [place + shift] * len(marks)
                draw_intervals(axis, places, marks, "accuracy", 100, False, False, **style)
                drawn.append(marks)
        for border in range(1, len(rows)):
            axis.axhline(border - 0.5, color=GRID, linewidth=0.5, zorder=0)
        axis.set(title=title, xlim=(-4, 104), xticks=(0, 50, 100))
        axis.tick_params(axis="y", length=0)
    labels = [
        f"{model} (one hop)" if data == studies.ONE_HOP else str(model) for model, data in rows
    ]
    axes[0].set_yticks(range(len(rows)), labels)
    axes[0].set_ylim(len(rows) - 0.5, -0.5)
    figure.supxlabel("accuracy (%)", fontsize=7.5)
    _legend(axes)
    columns = ["model", "data", "intervention", "kind", "control_of", "positions", "n"]
    columns += ["accuracy", "accuracy_low", "accuracy_high"]
    n = names(str(n) for n in untouched(lines)["n"])
    text = (
        f"Strict accuracy with 95 % Wilson intervals, n = {' or '.join(n)} questions a model; the "
        "last models cannot reason and are asked one hop. Grey: left alone. What is left out "
        "leaves a hole in the positions, closes them up, or keeps its slots, empty. "
        f"{INFERENCE} Retrained systems, as those of IVT-LR's Table 2, stand in `retrained_arms`."
    )
    data = pd.concat(drawn)[columns].reset_index(drop=True)
    return Drawing(figure, data, caption(finding(lines), text))


def finding(lines: pd.DataFrame) -> str:
    """Which parts each model needs: those whose removal costs answers under every rule."""
    told = []
    for arm, title in ARMS.items():
        if not arm.startswith("drop") or arm == "drop latent":
            continue
        falls = []
        for model, of_model in lines[lines["arm"] == arm].groupby("model", sort=False):
            if (of_model["delta_high"] < 0).all():
                falls.append(f"{model} to {100 * of_model['accuracy'].max():.0f} %")
        whom = f"accuracy falls for {joined(falls)}" if falls else "no accuracy falls"
        told.append(f"{title} {whom}")
    return f"Whatever becomes of positions, {'; '.join(told)}."


def _legend(axes: list[Axes]) -> None:
    """Name the fills, and the grey line."""
    axes[0].plot([], [], color=MUTED, linewidth=1.4, label="left alone")
    for rule, style in POSITIONS.items():
        mark = {"marker": "o", "color": INK, "linestyle": "none"} | style
        axes[0].plot([], [], **mark, label=POSITION_LABELS[rule])
    axes[0].figure.legend(loc="outside upper center", ncols=4)

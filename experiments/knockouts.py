"""What knock-outs at inference leave of the accuracy, model by model.

Studies: `knockouts` and `knockouts-one-hop` (`latentlab.ablate`): the latent text, the latent
vision or both are left out (`drop`), or come from another question (`other`). What is left out
leaves a hole in the positions, or lets them close up, or keeps its slots with the placeholder token
in them. Strict accuracy. The paper's Table 2 is about retrained systems and is no counterpart: see
`retrained_arms`.
"""

import pandas as pd

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.dots import POSITION_LABELS, POSITIONS, offsets
from latentlab.figures.experiment import Found
from latentlab.figures.lines import (
    INFERENCE,
    INTERVALS,
    REMOVALS,
    STRICT,
    overall,
    sample,
    untouched,
    with_arms,
)
from latentlab.figures.marks import draw_intervals
from latentlab.figures.style import GRID, INK, MUTED, canvas, look
from latentlab.vocabulary import CONTROL

STUDIES = (studies.KNOCKOUTS, studies.KNOCKOUTS_ONE_HOP)

ARMS = {
    "drop latent_text": "without latent text",
    "drop latent_vision": "without latent vision",
    "drop latent": "without latents",
    "other latent": "another question's latents",
}
"""What is done and what the legend calls it; each gets a look, filled by positions."""


def make(found: Found) -> Drawing:
    """The figure: a group of marks for each model."""
    lines = with_arms(pd.concat([overall(found[study.name].summary) for study in STUDIES]))
    lines = lines[(lines["kind"] != CONTROL) | (lines["positions"] != "")]
    chance = {
        round(100 * float((1 / found[study.name].rows["options"]).mean()), 1) for study in STUDIES
    }
    figure, (axis,) = canvas("double", 2.7)
    looks: dict[tuple[str, str], dict[str, object]] = {}
    for i, arm in enumerate(ARMS):
        ways = POSITIONS if arm.startswith("drop") else {"": POSITIONS["held"]}
        looks |= {(arm, rule): look(i + 1) | style for rule, style in ways.items()}
    shifts = dict(zip(looks, offsets(len(looks), 0.7), strict=True))
    groups = list(lines.groupby(["data", "model"], sort=False))
    drawn, labels = [], []
    for place, ((data, model), group) in enumerate(groups):
        alone = untouched(group)
        level = 100 * float(alone["accuracy"].iloc[0])
        axis.hlines(level, place - 0.4, place + 0.4, color=MUTED, linewidth=1.2, zorder=0)
        drawn.append(alone)
        for (arm, rule), style in looks.items():
            chosen = group[(group["arm"] == arm) & (group["positions"] == rule)]
            places = [place + shifts[arm, rule]] * len(chosen)
            draw_intervals(axis, places, chosen, "accuracy", 100, joined=False, **style)
            drawn.append(chosen)
        one_hop = data == studies.ONE_HOP
        labels.append(f"{model}\n(one hop)" if one_hop else str(model))
    for border in range(1, len(groups)):
        axis.axvline(border - 0.5, color=GRID, linewidth=0.5, zorder=0)
    for i, label in enumerate(ARMS.values()):
        axis.plot([], [], **(look(i + 1) | {"linestyle": "none"}), label=label)
    axis.plot([], [], color=MUTED, linewidth=1.2, label="left alone")
    for rule, style in POSITIONS.items():
        grey = {"marker": "o", "color": INK, "linestyle": "none"} | style
        axis.plot([], [], **grey, label=POSITION_LABELS[rule])
    axis.set(xticks=range(len(groups)), xticklabels=labels, xlim=(-0.5, len(groups) - 0.5))
    axis.set(ylim=(-3, 103), ylabel="accuracy (%)")
    figure.legend(loc="outside upper center", ncols=3)
    columns = ["model", "data", "intervention", "kind", "control_of", "positions", "n"]
    columns += ["accuracy", "accuracy_low", "accuracy_high"]
    told = " and ".join(f"{value:.1f} %" for value in sorted(chance))
    caption = (
        f"Strict accuracy under knock-outs: {sample(untouched(lines))}. {INFERENCE} Grey lines are "
        f"the models left alone. {REMOVALS} {INTERVALS} Guessing among the options gives {told}. "
        f"{STRICT} A model without a part has no mark for it. The published ablation (IVT-LR, "
        "Table 2) compares retrained systems and has no counterpart here."
    )
    return Drawing(figure, pd.concat(drawn)[columns].reset_index(drop=True), caption)

"""Attention ratio R and focus F over reasoning steps, in latents and in words.

Study: `attention` (`latentlab.attention`): equations 1 and 2 of IVT-LR (arXiv 2510.12603) at the
position that each step begins from, averaged over layers and heads. Shown are the models that
re-insert patches, next to themselves with patches picked at random, and to uniform attention;
`attention_runs` tells patches from positions. The paper's Figure 5 has curves without numbers.
"""

import pandas as pd
from matplotlib.axes import Axes

from latentlab.attention.summary import RANDOM_PICKS
from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.dots import HOLLOW, offsets
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import legend, sampled
from latentlab.figures.lines import names
from latentlab.figures.marks import draw_intervals
from latentlab.figures.style import MUTED, canvas, look_of
from latentlab.measures.summary import ALL
from latentlab.wording import joined

PART = "appendix"

STUDIES = (studies.ATTENTION,)

MODES = ("latent", "explicit")

MEASURES = {"ratio": ("image/text", "R, image by text"), "focus": ("image", "F on the image")}
"""What is drawn, a panel each: of which keys, and what its axis is called."""

UNIFORM = {"color": MUTED, "linestyle": ":"}


def make(found: Found) -> Drawing:
    """The figure: a panel for each measure, a curve for each model and its control."""
    results = found[studies.ATTENTION.name]
    lines = _lines(results.summary)
    models = names(lines["model"])
    figure, axes = canvas("single", 2.2, 1, len(MEASURES))
    for axis, (measure, (_, label)) in zip(axes, MEASURES.items(), strict=True):
        _curves(axis, lines[lines["measure"] == measure], models)
        axis.set(xlabel="step", ylabel=label)
    looks = {model: look_of(model, models) for model in models}
    if lines["control"].any():
        random = {"color": MUTED, "linestyle": "none", "marker": "o"} | HOLLOW
        looks["patches picked at random"] = random
    legend(figure, axes[0], looks | {"uniform attention": UNIFORM}, columns=2)
    columns = ["model", "mode", "control", "step", "measure", "keys", "n"]
    data = lines[[*columns, "value", "value_low", "value_high", "null"]].reset_index(drop=True)
    caption = (
        f"{_finding(lines, models)}\n\n"
        "Attention where each step begins: "
        f"{sampled(lines, results.run['config']['data'])}; R is the mass on "
        "the image by that on text, F the inverse entropy within the image (IVT-LR, equations 1 "
        "and 2). Hollow: as many patches re-inserted at random. Dotted: uniform attention. Bars "
        "are 95 % intervals over questions."
    )
    return Drawing(figure, data, caption)


def _lines(summary: pd.DataFrame) -> pd.DataFrame:
    """Lines of the models that re-insert patches of their choice; of all where there are none."""
    keys = pd.Series(zip(summary["measure"], summary["keys"], strict=True), index=summary.index)
    whole = (summary[["domain", "answered"]] == ALL).all(axis=1) & summary["against"].eq("")
    averaged = (summary[["layers", "heads"]] == ALL).all(axis=1)
    wanted = keys.isin([(measure, of) for measure, (of, _) in MEASURES.items()])
    lines = summary[whole & averaged & wanted]
    split = lines["mode"].str.partition(", ")
    lines = lines.assign(mode=split[0], control=split[2] == RANDOM_PICKS)
    lines = lines[lines["mode"].isin(MODES) & split[2].isin(("", RANDOM_PICKS))]
    picking = lines["model"].isin(lines.loc[lines["control"], "model"])
    return lines[picking] if picking.any() else lines


def _curves(axis: Axes, shown: pd.DataFrame, models: list[str]) -> None:
    """One line a model, its control hollow beside it, and what uniform attention would read."""
    groups = list(shown.groupby(["model", "control"], sort=False))
    shifts = offsets(len(groups), 0.3)
    for shift, ((model, control), group) in zip(shifts, groups, strict=True):
        group = group.sort_values("step")
        looks = look_of(str(model), models)
        looks |= HOLLOW | {"linewidth": 0.6} if control else {}
        draw_intervals(axis, group["step"] + shift, group, "value", **looks)
    nulls = {
        tuple(group.sort_values("step")[["step", "null"]].itertuples(index=False, name=None))
        for _, group in groups
    }
    for null in sorted(nulls):
        steps, values = zip(*null, strict=True)
        axis.plot(steps, values, **UNIFORM, zorder=0)
    axis.set_xticks(sorted(set(shown["step"])))
    axis.set_ylim(bottom=0)


def _finding(lines: pd.DataFrame, models: list[str]) -> str:
    """How R moves along the steps of each model, and where it ends with random patches."""
    told = []
    for model in models:
        of = lines[(lines["model"] == model) & (lines["measure"] == "ratio")].sort_values("step")
        own, random = of[~of["control"]]["value"], of[of["control"]]["value"]
        told.append(f"from {own.iloc[0]:.2f} to {own.iloc[-1]:.2f} in {model}")
        if len(random):
            told[-1] += f" ({random.iloc[-1]:.2f} with patches picked at random)"
    return f"Along the steps R goes {joined(told)}."

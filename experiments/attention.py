"""Attention ratio R and focus F over reasoning steps, in latent and in explicit mode.

Study: `attention` (`latentlab.attention`): equations 1 and 2 of IVT-LR (arXiv 2510.12603) at the
position that each step begins from, averaged over layers and heads. R is drawn for both readings of
"image": where it first stands, and re-inserted. Controls: uniform attention, and patches picked at
random; `attention_runs` has those that tell patches from positions. The paper's Figure 5 has curves
without numbers.
"""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from latentlab.attention.summary import RANDOM_PICKS
from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.dots import HOLLOW, offsets
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import WEIGHTS
from latentlab.figures.lines import names
from latentlab.figures.marks import draw_intervals
from latentlab.figures.style import MUTED, canvas, look_of
from latentlab.measures.summary import ALL

STUDIES = (studies.ATTENTION,)

MODES = {"latent": "in latents", "explicit": "in words"}

MEASURES = {
    ("ratio", "image/text"): "R, image / text",
    ("ratio", "reinserted/text"): "R, re-inserted / text",
    ("focus", "image"): "F on the image",
    ("entropy", "image"): "entropy on the image",
}
"""What is drawn, two panels each, and what its axis is called."""


def make(found: Found) -> Drawing:
    """The figure: rows are pairs of measures, columns the two modes of each."""
    results = found[studies.ATTENTION.name]
    lines = results.summary
    keys = pd.MultiIndex.from_frame(lines[["measure", "keys"]])
    whole = (lines[["domain", "answered"]] == ALL).all(axis=1) & lines["against"].eq("")
    averaged = (lines[["layers", "heads"]] == ALL).all(axis=1)
    lines = lines[whole & averaged & keys.isin(MEASURES)]
    split = lines["mode"].str.partition(", ")
    lines = lines.assign(mode=split[0], control=split[2] == RANDOM_PICKS)
    lines = lines[lines["mode"].isin(MODES) & split[2].isin(("", RANDOM_PICKS))]
    models = names(lines["model"])
    figure, axes = canvas("double", 3.9, 2, 2 * len(MODES), sharex=True)
    panels = [(*measure, mode) for measure in MEASURES for mode in MODES]
    for axis, (measure, key, mode) in zip(axes, panels, strict=True):
        shown = lines[(lines[["measure", "keys", "mode"]] == [measure, key, mode]).all(axis=1)]
        _curves(axis, shown, models)
        axis.set_title(MODES[mode])
    for left, right, name in zip(axes[::2], axes[1::2], MEASURES.values(), strict=True):
        right.sharey(left)
        right.autoscale()
        left.set_ylabel(name)
        left.set_ylim(bottom=0)
        right.tick_params(labelleft=False)
    for axis in axes[-2 * len(MODES) :]:
        axis.set_xlabel("step")
    for model in models:
        axes[0].plot([], [], **look_of(model, models), label=model)
    grey: Any = {"color": MUTED, "linestyle": "none", "marker": "o"} | HOLLOW
    axes[0].plot([], [], **grey, label="hollow: random picks")
    axes[0].plot([], [], color=MUTED, linestyle=":", label="uniform attention")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(handles), columnspacing=1)
    columns = ["model", "mode", "control", "step", "measure", "keys", "n"]
    data = lines[[*columns, "value", "value_low", "value_high", "null"]].reset_index(drop=True)
    return Drawing(figure, data, _caption(lines, results.run["config"]["data"]))


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
        marker = "_" if len(null) == 1 else ""  # a line of one point would not be seen
        steps, values = zip(*null, strict=True)
        axis.plot(steps, values, color=MUTED, linestyle=":", marker=marker, zorder=0)
    axis.set_xticks(sorted(set(shown["step"])))


def _caption(lines: pd.DataFrame, data: str) -> str:
    modes = {
        mode: ", ".join(names(lines.loc[lines["mode"] == mode, "model"])) or "no model"
        for mode in MODES
    }
    counts = f"{lines['n'].min()} to {lines['n'].max()}"
    n = str(lines["n"].max()) if lines["n"].nunique() == 1 else counts
    return (
        f"Attention along the steps of {modes['latent']} (in latents) and {modes['explicit']} (in "
        f"words) on {n} questions of {data}. {WEIGHTS} Each step is read at the position it "
        "begins from; layers and heads are averaged first. R (IVT-LR, equation 1) is the mass on "
        "patches of the image, or on the patches re-inserted so far, by the mass on all text and "
        "latent text but the first token; F = 1/(H + ε) (equation 2), ε = 1e-6, of the attention "
        "within the image, and beside it the entropy H as a share of its maximum. Dotted: uniform "
        "attention over the keys, which falls for the image as text is added. Hollow: the same "
        "model with as many patches re-inserted at random. That a curve moves does not say that "
        "reasoning moves it, nor that patches do: `attention_runs` tells them from the positions "
        "that they take. A model has no mark where it can see "
        "no such key. Bars are 95 % bootstrap intervals over questions. F on re-inserted patches "
        "is left out: of two, one may get nearly all attention, and F has no bound. Published "
        "(IVT-LR, Figure 5, Qwen2-VL-7B, no numbers printed): in latent mode R begins above 1 and "
        "falls while F rises; in explicit mode, with patches re-inserted, R stays below 1 and F "
        "low, both flat."
    )

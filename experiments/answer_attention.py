"""How much the answer attends to the latents, and how much of its gradient runs through them.

Studies: `attention-answers` and `attention-answers-one-hop` (`latentlab.attention`): queries are
the positions after the last latent, keys the latent slots, heads averaged. Beside all layers stands
the reward of "Leveraging LVR in Silence" (arXiv 2605.18641), which takes layer 0 alone; next to it
attention times gradient of the answer's log-odds. Controls: uniform attention over the visible
keys, and models whose latents cannot matter.
"""

from typing import Any

import pandas as pd

from latentlab.attention.summary import AFTER
from latentlab.calibrate.subjects import CANNOT_REASON
from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.dots import HOLLOW, draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import legend, sampled
from latentlab.figures.lines import names
from latentlab.figures.sentences import of_models
from latentlab.figures.style import INK, MUTED, canvas
from latentlab.measures.summary import ALL

PART = "appendix"

STUDIES = (studies.ATTENTION_ANSWERS, studies.ATTENTION_ANSWERS_ONE_HOP)

PANELS = {
    "attention (%)": ("answer_mass", "reward"),
    "gradient (%)": ("answer_share",),
}
"""Measures by the panel that they are drawn in."""

LOOKS: dict[str, dict[str, Any]] = {
    "answer_mass": {"color": INK, "marker": "o"},
    "reward": {"color": INK, "marker": "s"} | HOLLOW,
    "answer_share": {"color": INK, "marker": "o"},
}


def make(found: Found) -> Drawing:
    """The figure: a panel for attention and one for gradients, a row for each model and data."""
    parts = []
    for study, suffix in zip(STUDIES, ("", ", one hop"), strict=True):
        lines = found[study.name].summary
        whole = (lines[["domain", "answered"]] == ALL).all(axis=1) & lines["against"].eq("")
        chosen = whole & (lines["query"] == AFTER) & lines["measure"].isin(list(LOOKS))
        layers = (lines["layers"] == ALL) | (lines["measure"] == "reward")
        lines = lines[chosen & layers & (lines["keys"] == "latent")]
        parts.append(lines.assign(row=lines["model"] + suffix))
    lines = pd.concat(parts, ignore_index=True).assign(series=lambda all_: all_["measure"])
    rows = {name: name for name in names(lines["row"])}
    figure, axes = canvas("single", 0.85 + 0.17 * len(rows), 1, len(PANELS), sharey=True)
    for axis, (label, measures) in zip(axes, PANELS.items(), strict=True):
        shown = lines[lines["measure"].isin(measures)]
        looks = {measure: LOOKS[measure] for measure in measures}
        draw_dots(axis, shown, rows, looks, "value")
        for place, row in enumerate(rows):
            nulls = shown[(shown["row"] == row) & (shown["measure"] == measures[0])]["null"]
            axis.vlines(100 * nulls, place - 0.4, place + 0.4, color=MUTED, zorder=0)
        axis.set_xlabel(label)
    marks = {"all layers": LOOKS["answer_mass"], "layer 0 (the reward)": LOOKS["reward"]}
    marks = {name: style | {"linestyle": "none"} for name, style in marks.items()}
    legend(figure, axes[0], marks | {"uniform": {"color": MUTED, "linestyle": "-"}}, columns=3)
    columns = ["model", "data", "row", "measure", "layers", "keys", "n"]
    data = lines[[*columns, "value", "value_low", "value_high", "null"]]
    return Drawing(figure, data, _caption(lines))


def _caption(lines: pd.DataFrame) -> str:
    asked = [sampled(of, str(data)) for data, of in lines.groupby("data", sort=False)]
    reward = lines[lines["measure"] == "reward"]
    idle = reward[reward["model"].isin(CANNOT_REASON)]
    first, most = reward.iloc[:1], idle.nlargest(1, "value")
    than = f", on one hop {of_models(most, 'value')}, whose latents cannot matter" * bool(len(most))
    return (
        f"The published reward, attention on latents in layer 0, reads {of_models(first, 'value')}"
        f"{than}.\n\n"
        f"Attention of the answer on latents: {'; '.join(asked)}; right: "
        "the share of attention times gradient of the answer's log-odds that falls on latents, by "
        "size. Grey: uniform attention. Bars are 95 % intervals over "
        "questions. What is attended to need not be used."
    )

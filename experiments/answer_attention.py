"""How much the answer attends to the latents: attention, the published reward, times gradient.

Studies: `attention-answers` and `attention-answers-one-hop` (`latentlab.attention`): queries are
the positions after the last latent, keys the latent slots, heads averaged. Beside all layers stands
the reward of "Leveraging LVR in Silence" (arXiv 2605.18641), which takes layer 0 alone, and
attention times gradient of the answer's log-odds. Controls: uniform attention over the visible
keys, and models whose latents cannot matter.
"""

from typing import Any

import pandas as pd

from latentlab.attention.summary import AFTER
from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.dots import draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import WEIGHTS, legend, sampled
from latentlab.figures.lines import names
from latentlab.figures.style import MUTED, canvas, look
from latentlab.measures.summary import ALL
from latentlab.vocabulary import PARTS

STUDIES = (studies.ATTENTION_ANSWERS, studies.ATTENTION_ANSWERS_ONE_HOP)

MEASURES = {
    "answer_mass": ("attention (%)", 100.0),
    "reward": ("in layer 0 (%)", 100.0),
    "answer_share": ("size of A x gradient (%)", 100.0),
    "answer_gradient": ("A x gradient (nats)", 1.0),
}
"""What is drawn, one panel each, how its axis is called, and its factor."""


def make(found: Found) -> Drawing:
    """The figure: a panel for each measure, a row for each model and kind of questions."""
    parts = []
    for study, suffix in zip(STUDIES, ("", " (one hop)"), strict=True):
        lines = found[study.name].summary
        whole = (lines[["domain", "answered"]] == ALL).all(axis=1) & lines["against"].eq("")
        chosen = whole & (lines["query"] == AFTER) & lines["measure"].isin(MEASURES)
        layers = (lines["layers"] == ALL) | (lines["measure"] == "reward")
        lines = lines[chosen & layers]
        parts.append(lines.assign(row=lines["model"] + suffix))
    lines = pd.concat(parts, ignore_index=True)
    # Of a model with one part only, that part is all its latents: it is drawn once.
    several = lines.groupby("row")["keys"].transform("nunique") > 2
    lines = lines[several | (lines["keys"] == "latent")].assign(series=lines["keys"].map(PARTS))
    rows = {name: name for name in names(lines["row"])}
    height = 0.7 + 0.24 * len(rows)
    figure, axes = canvas("double", height, 1, len(MEASURES), sharey=True)
    looks: dict[str, dict[str, Any]] = {
        label: look(i + 1) for i, label in enumerate(PARTS.values())
    }
    for axis, (measure, (label, scale)) in zip(axes, MEASURES.items(), strict=True):
        shown = lines[lines["measure"] == measure]
        draw_dots(axis, shown, rows, looks, "value", scale)
        for place, row in enumerate(rows):
            nulls = shown[(shown["row"] == row) & (shown["keys"] == "latent")]["null"]
            axis.vlines(scale * nulls, place - 0.4, place + 0.4, color=MUTED, zorder=0)
        axis.set_xlabel(label)
    legend(figure, axes[0], looks, columns=len(looks))
    columns = ["model", "data", "row", "measure", "layers", "keys", "n"]
    data = lines[[*columns, "value", "value_low", "value_high", "null"]].reset_index(drop=True)
    return Drawing(figure, data, _caption(lines))


def _caption(lines: pd.DataFrame) -> str:
    asked = [sampled(of, str(data)) for data, of in lines.groupby("data", sort=False)]
    return (
        f"How much the answer attends to latents: {'; '.join(asked)}. {WEIGHTS} The answer marker "
        "and the right answer are put after the latents; queries are their positions but the end "
        "token. First panel: attention on latents, averaged over queries, heads and layers; grey: "
        "what uniform attention over the visible keys would put on all latents. Second: the same "
        "in layer 0 alone, the reward of arXiv 2605.18641. Third and fourth: each weight times the "
        "derivative of the log-odds of the answer with respect to it; the third is the share of "
        "their sizes that falls on latents, the fourth their sum, which is the derivative with "
        "respect to a gate on all of that attention. Latents hidden from the answer read 0 without "
        "fail. A part can be needed and read low here, where later latents hand it on, and be "
        "attended to without need: what is needed, `replacements` and `necessity` tell. Bars are "
        "95 % bootstrap intervals over questions. Published for other models without null."
    )

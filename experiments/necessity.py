"""Which answers need their latents: right with them, wrong when their slots are emptied.

Studies: `knockouts` and `knockouts-one-hop` (`latentlab.ablate`), the arm that puts the placeholder
token into all slots. Each question is right with the content, without it, either way or neither
way, and an accuracy that stays may hide as many lost as gained. The four cells are those of the
latent-necessity reward of arXiv 2605.18641, which publishes no such counts.
"""

import pandas as pd

from latentlab.ablate.necessity import LABELS, count_necessity, necessity
from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.dots import draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.lines import INFERENCE, names
from latentlab.figures.style import canvas, look_of
from latentlab.measures.summary import ALL

STUDIES = (studies.KNOCKOUTS, studies.KNOCKOUTS_ONE_HOP)


def make(found: Found) -> Drawing:
    """The figure: a panel for each cell, a row for each domain, a mark for each model."""
    counts = []
    for study in STUDIES:
        labels = necessity(found[study.name].rows)
        if len(labels):
            of_study = count_necessity(labels)
            hint = " (one hop)" if study is studies.KNOCKOUTS_ONE_HOP else ""
            counts.append(
                of_study.assign(data=labels["data"].iloc[0], series=of_study["model"] + hint)
            )
    data = pd.concat(counts, ignore_index=True).rename(columns={"domain": "row"})
    rows = {row: row for row in [ALL, *sorted(set(data["row"]) - {ALL, ""})]}
    models = names(data["model"])
    series = data[["series", "model"]].drop_duplicates().itertuples(index=False, name=None)
    looks = {name: look_of(model, models) | {"label": name} for name, model in series}
    height = 0.8 + 0.08 * len(looks) * len(rows)
    figure, axes = canvas("double", max(height, 2.0), 1, len(LABELS), sharex=True, sharey=True)
    for axis, label in zip(axes, LABELS, strict=True):
        draw_dots(axis, data[data["necessity"] == label], rows, looks, "share")
        axis.set(xlabel="share of questions (%)", title=label, xlim=(-4, 104))
    handles, titles = axes[0].get_legend_handles_labels()
    figure.legend(handles, titles, loc="outside upper center", ncols=len(looks))
    total = data[data["row"] == ALL].drop_duplicates("series")
    sizes = "; ".join(
        f"{name}: {n} questions of {source}"
        for name, n, source in zip(total["series"], total["n"], total["data"], strict=True)
    )
    caption = (
        "Share of questions that each model answers rightly with what its latent slots hold and "
        "not without (needed), without and not with it (harmful), both ways and neither way. "
        "Without means: all slots kept, with the placeholder token in them, which a model may mind "
        f"for itself: see knockouts for slots that are left out. {INFERENCE} {sizes}. "
        "Bars are 95 % Wilson intervals. Counts are in the CSV file. No counts are published for "
        "IVT-LR; the cells are those of the latent-necessity reward of arXiv 2605.18641."
    )
    return Drawing(figure, data, caption)

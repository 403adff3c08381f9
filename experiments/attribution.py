"""Where the answer's logit comes from: direct logit attribution by source.

Study: `lens` (`latentlab.lens`): the answer's logit less the mean of the other options', at the
position where the answer begins, split over what attention brings from each source and what MLPs
add. Sources that add next to nothing in every model are left out, and the caption says how much
they add at most. Control: the same for a wrong option. The IVT-LR paper has no counterpart.
"""

import pandas as pd

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.dots import HOLLOW, draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import legend, sampled
from latentlab.figures.lines import names
from latentlab.figures.sentences import of_models
from latentlab.figures.style import MUTED, canvas, look_of
from latentlab.lens.summary import ATTRIBUTION
from latentlab.measures.summary import ALL
from latentlab.vocabulary import CONTROL

PART = "appendix"

STUDIES = (studies.LENSES,)

LABELS = {
    "image": "image",
    "prompt": "question",
    "latent_text": "latent text {}",
    "latent_vision": "re-inserted {}",
    "words": "written words {}",
    "answer": "answer marker",
    "mlp_out": "all MLPs",
    "embed": "own embedding",
    "total": "total",
}
"""Sources from top to bottom as figures name them, with the step where there is one."""

LEAST = 0.01
"""Share of the largest total from which on a source is drawn."""


def make(found: Found) -> Drawing:
    """The figure: a row for each source, a mark for each model and its control."""
    results = found[studies.LENSES.name]
    lines = _sources(results.summary)
    largest = lines.groupby("row")["logit"].transform(lambda of: of.abs().max())
    drawn = largest >= LEAST * largest.max()
    data, rest = lines[drawn], lines[~drawn]
    rows = {row: LABELS[row.split()[0]].format(row.partition(" ")[2]) for row in names(data["row"])}
    models = names(data["model"])
    figure, (axis,) = canvas("single", 0.9 + max(0.16, 0.07 * len(models)) * len(rows))
    looks = {}
    for model in models:
        style = look_of(model, models)
        looks |= {f"{model} answer": style, f"{model} {CONTROL}": style | HOLLOW}
    draw_dots(
        axis, data.assign(series=data["model"] + " " + data["series"]), rows, looks, "logit", 1
    )
    axis.set_xlabel("adds to the lead of an option (nats)")
    marks = {model: look_of(model, models) | {"linestyle": "none"} for model in models}
    grey = {"color": MUTED, "marker": "o", "linestyle": "none"}
    marks |= {"filled: right": grey, "hollow: wrong option": grey | HOLLOW}
    legend(figure, axis, marks, 3)
    kept = ["model", "row", "series", "n", "logit", "logit_low", "logit_high"]
    return Drawing(
        figure,
        data[kept].reset_index(drop=True),
        _caption(data, rest, results.run["config"]["data"]),
    )


def _sources(summary: pd.DataFrame) -> pd.DataFrame:
    """A line for each model, source and step, of the right answer and of a wrong option."""
    parts = (summary["domain"] == ALL) & (summary["measure"] == ATTRIBUTION)
    lines = summary[parts & summary["layer"].isna()]
    # Latents are shown step by step; their sums over steps would count them twice.
    stepwise = lines["source"].isin(lines.loc[lines["step"].notna(), "source"])
    lines = lines[~stepwise | lines["step"].notna()]
    source = lines["source"].where(lines["source"] != "", lines["component"])
    step = lines["step"].astype("Int64").astype("str").where(lines["step"].notna(), "")
    lines = lines.assign(
        row=(source + " " + step).str.strip(),
        series=lines["kind"].where(lines["kind"] == CONTROL, "answer"),
        source=source,
    )
    order = list(LABELS)
    known = lines[lines["source"].isin(order)]
    return known.assign(rank=known["source"].map(order.index)).sort_values(["rank", "step"])


def _caption(data: pd.DataFrame, rest: pd.DataFrame, asked: str) -> str:
    right = data[data["series"] == "answer"]
    sources = right[~right["row"].isin(("total", "mlp_out"))]
    best = sources.loc[sources.groupby("model", sort=False)["logit"].idxmax(), "row"]
    share = right[right["row"] == best.mode().iloc[0]]
    label = LABELS[share["source"].iloc[0]].format(share["row"].iloc[0].partition(" ")[2])
    others = (
        f"{rest['row'].nunique()} other sources add at most {rest['logit'].abs().max():.2f} nats"
    )
    return (
        f"Of what attention brings to the answer most comes from {label}: "
        f"{of_models(share, 'logit', 'nats')}.\n\n"
        f"Direct logit attribution where the answer begins: {sampled(data, asked)}; "
        "filled: what a source adds to the lead of the right answer over the other options; "
        "hollow: to that of a wrong option; "
        f"{others}. Only direct paths count. Bars are 95 % intervals over questions."
    )

"""Where the answer's logit comes from: direct logit attribution by source.

Study: `lens` (`latentlab.lens`): the answer's logit less the mean of the other options', at the
position where the answer begins, split over what attention brings from each source and what MLPs
add. Control: the same for a wrong option. The IVT-LR paper has no counterpart.
"""

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.dots import HOLLOW, draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import UNPUBLISHED, WEIGHTS, legend, sampled
from latentlab.figures.lines import names
from latentlab.figures.style import INK, canvas, look_of
from latentlab.lens.summary import ATTRIBUTION
from latentlab.measures.summary import ALL
from latentlab.vocabulary import CONTROL

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

SERIES = {"answer": {}, CONTROL: HOLLOW}


def make(found: Found) -> Drawing:
    """The figure: a panel for each model, a row for each source."""
    results = found[studies.LENSES.name]
    lines = results.summary
    parts = (lines["domain"] == ALL) & (lines["measure"] == ATTRIBUTION) & lines["layer"].isna()
    lines = lines[parts]
    # Latents are shown step by step; their sums over steps would count them twice.
    stepwise = lines["source"].isin(lines.loc[lines["step"].notna(), "source"])
    data = lines[~stepwise | lines["step"].notna()]
    source = data["source"].where(data["source"] != "", data["component"])
    step = data["step"].astype("Int64").astype("str").where(data["step"].notna(), "")
    data = data.assign(
        row=(source + " " + step).str.strip(),
        series=data["kind"].where(data["kind"] == CONTROL, "answer"),
        source=source,
    )
    order = list(LABELS)
    known = data[data["source"].isin(order)]
    ranked = known.assign(rank=known["source"].map(order.index)).sort_values(["rank", "step"])
    rows = {
        row: LABELS[row.split()[0]].format(row.partition(" ")[2]) for row in names(ranked["row"])
    }
    models = names(data["model"])
    figure, axes = canvas("double", 0.8 + 0.2 * len(rows), 1, len(models), sharex=True, sharey=True)
    for axis, model in zip(axes, models, strict=True):
        looks = {name: look_of(model, models) | style for name, style in SERIES.items()}
        draw_dots(axis, known[known["model"] == model], rows, looks, "logit", 1)
        axis.set(title=model, xlabel="adds to the lead (nats)")
    grey = {"color": INK, "marker": "o", "linestyle": "none"}
    marks = {"filled: right answer": grey, "hollow: a wrong option": grey | HOLLOW}
    legend(figure, axes[0], marks, 2)
    caption = (
        "Direct logit attribution where the answer begins: "
        f"{sampled(data, results.run['config']['data'])}. {WEIGHTS} What each part of the last "
        "position's residual stream adds to the lead of the right answer over the mean of the "
        "other options, in nats, the final norm's scale held fixed: by attention from each source, "
        "summed over layers, and by all MLPs. The parts sum to the total. Hollow, the control: the "
        "same lead of a wrong option drawn for each question. Bars are 95 % bootstrap intervals "
        "over questions. Only direct paths are seen: what a latent gave to this position and an "
        "MLP turned into an answer counts as the MLPs'. A source that a model's plan hides reads "
        f"exactly 0. {UNPUBLISHED}"
    )
    kept = ["model", "row", "series", "n", "logit", "logit_low", "logit_high"]
    return Drawing(figure, known[kept].reset_index(drop=True), caption)

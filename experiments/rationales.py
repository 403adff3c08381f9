"""The positive control: a written rationale corrupted in the same ways as latents.

Studies: `rationales` and `replacements` (`latentlab.ablate`): the words that `cot` writes before
its answer, and the latents of other models, are exchanged for another question's, reordered,
repeated or emptied. A test that finds no use of written steps could not find one of latents either.
CapImagine (arXiv 2602.22766) publishes the same control: misleading textual imagination takes its
model from 85.9 to 22.5 % on V*. Corruptions that only words can have are in the study.
"""

import pandas as pd

from latentlab.console import typeset
from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing, caption
from latentlab.figures.dots import draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import legend
from latentlab.figures.lines import CHANGE, REPLACEMENTS, names, overall, sample, untouched
from latentlab.figures.style import canvas, look_of
from latentlab.vocabulary import KNOCK_OUT
from latentlab.wording import joined

PART = "appendix"

STUDIES = (studies.RATIONALES, studies.REPLACEMENTS)


def make(found: Found) -> Drawing:
    """The figure: a row for each corruption that words and latents share, a mark for each model."""
    words = overall(found[studies.RATIONALES.name].summary)
    latents = overall(found[studies.REPLACEMENTS.name].summary)
    lines = pd.concat([words.assign(content="words"), latents.assign(content="latents")])
    data = lines.assign(row=lines["source"].where(lines["action"] == "replace", lines["action"]))
    shams = data[data["row"] == "sham"]
    whole = data["part"].isin(("rationale", "latent")) & (data["control"] == "")
    data = data[whole & (data["kind"] == KNOCK_OUT)]
    of = {content: set(group["row"]) for content, group in data.groupby("content")}
    shared = set.intersection(*of.values())
    rows = {name: label for name, label in REPLACEMENTS.items() if name in shared}
    data = data[data["row"].isin(list(rows))].assign(series=lambda all_: all_["model"])
    models = names(data["model"])
    figure, (axis,) = canvas("single", 0.8 + max(0.16, 0.08 * len(models)) * len(rows))
    draw_dots(axis, data, rows, {model: look_of(model, models) for model in models}, "delta")
    axis.set_xlabel(CHANGE)
    axis.set_xlim(right=3)
    labels = dict(data[["model", "content"]].drop_duplicates().itertuples(index=False, name=None))
    marks = {
        f"{model} ({labels[model]})": look_of(model, models) | {"linestyle": "none"}
        for model in models
    }
    legend(figure, axis, marks, 2)
    columns = ["model", "content", "row", "intervention", "n"]
    kept = data[[*columns, "delta", "delta_low", "delta_high"]].reset_index(drop=True)
    drawn = (
        f"Change in accuracy when written steps, or latents, are corrupted: "
        f"{sample(untouched(words))} (words); {sample(untouched(latents))} (latents). Knock-outs "
        "at inference on fixed weights: the model goes on with picture and question in sight. "
        f"Putting both back as they were changes {100 * shams['delta'].abs().max():.1f} points at "
        "most. Bars are 95 % intervals, paired by question."
    )
    return Drawing(figure, kept, caption(_finding(data), drawn))


def _finding(data: pd.DataFrame) -> str:
    """The smallest and the largest change of each kind of content."""
    ranges = []
    for content in ("words", "latents"):
        changes = 100 * data.loc[data["content"] == content, "delta"]
        low, high = typeset(changes.max(), 0, True), typeset(changes.min(), 0, True)
        ranges.append(f"by {low} to {high} points in {content}")
    return f"Corrupting the steps changes accuracy {joined(ranges)}."

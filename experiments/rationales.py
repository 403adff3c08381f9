"""The positive control: a written rationale corrupted in the same ways as latents.

Studies: `rationales` and `replacements` (`latentlab.ablate`): the words that `cot` writes before
its answer, and the latents of other models, are exchanged for another question's, reordered,
repeated or emptied. Points of strict accuracy lost, paired by question. A test that finds no use of
written steps could not find one of latents either. CapImagine (arXiv 2602.22766) publishes the same
control: misleading textual imagination takes its model from 85.9 to 22.5 % on V*.
"""

import pandas as pd

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.dots import draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.lines import (
    INFERENCE,
    LOST,
    REPLACEMENTS,
    names,
    overall,
    sample,
    untouched,
)
from latentlab.figures.style import canvas, look_of
from latentlab.vocabulary import KNOCK_OUT

STUDIES = (studies.RATIONALES, studies.REPLACEMENTS)


def make(found: Found) -> Drawing:
    """The figure: a row for each corruption, a mark for each model."""
    words = overall(found[studies.RATIONALES.name].summary)
    latents = overall(found[studies.REPLACEMENTS.name].summary)
    lines = pd.concat([words, latents], ignore_index=True)
    data = lines.assign(
        row=lines["source"].where(lines["action"] == "replace", lines["action"]),
        content=["words" if i < len(words) else "latents" for i in range(len(lines))],
    )
    shams = data[data["row"] == "sham"]
    whole = data["part"].isin(("rationale", "latent")) & (data["control"] == "")
    data = data[whole & (data["kind"] == KNOCK_OUT)]
    in_words = set(data.loc[data["content"] == "words", "row"])
    rows = {name: label for name, label in REPLACEMENTS.items() if name in in_words}
    data = data[data["row"].isin(in_words)]
    data["series"] = data["model"] + " (" + data["content"] + ")"
    models = names(data["model"])
    figure, (axis,) = canvas("single", 0.75 + 0.36 * len(rows))
    series = data[["series", "model"]].drop_duplicates().itertuples(index=False, name=None)
    looks = {name: look_of(model, models) | {"label": name} for name, model in series}
    draw_dots(axis, data, rows, looks)
    axis.set_xlabel(LOST)
    figure.legend(loc="outside upper center", ncols=2)
    columns = ["model", "content", "row", "series", "intervention", "n"]
    kept = data[[*columns, "lost", "lost_low", "lost_high"]].reset_index(drop=True)
    caption = (
        f"Accuracy lost when written steps, or latents, are corrupted: {sample(untouched(words))} "
        f"(words); {sample(untouched(latents))} (latents). {INFERENCE} Words are edited after they "
        "were written, and the model goes on from them with picture and question in sight. Rows "
        "without marks for a model were not run on it. Differences are paired by question, bars "
        "are 95 % bootstrap intervals. Putting words or latents back as they were costs "
        f"{100 * shams['lost'].abs().max():.1f} points at most. Published (CapImagine, arXiv "
        "2602.22766): misleading text takes its model from 85.9 to 22.5 % on V*, corrupted latents "
        "hardly move it."
    )
    return Drawing(figure, kept, caption)

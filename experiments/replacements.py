"""Everything that can be put into the slots of the latent text, or of the latent vision.

Study: `replacements` (`latentlab.ablate`), the slots of one part overwritten at every step with
zeros, means, noise, other latents, other patches or the placeholder token; means, noise and donors
come from questions that are not among those asked. Change of strict accuracy, paired by question,
beside the control: the same replacement on as many positions of the prompt that the question does
not need. CapImagine (arXiv 2602.22766), 2605.18641 and 2605.18445 publish such replacements for
other models, mostly without loss and without this control.
"""

import pandas as pd

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing, caption
from latentlab.figures.dots import HOLLOW, draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.lines import CHANGE, INFERENCE, REPLACEMENTS, names, overall, untouched
from latentlab.figures.sentences import listed
from latentlab.figures.style import INK, canvas, look_of
from latentlab.measures.outcomes import SHAM
from latentlab.vocabulary import CONTROL, KNOCK_OUT, PARTS

PART = "appendix"
STUDIES = (studies.REPLACEMENTS,)

SHOWN = ("latent_text", "latent_vision")
"""Parts that are drawn, one row of panels each."""


def make(found: Found) -> Drawing:
    """The figure: columns are models, rows of panels are parts, a line for each replacement."""
    lines = overall(found[studies.REPLACEMENTS.name].summary)
    shams = lines[lines["action"] == SHAM]
    data = lines.drop(index=shams.index).assign(row=lines["source"])
    data = data[data["kind"].isin([KNOCK_OUT, CONTROL]) & data["part"].isin(SHOWN)]
    data["series"] = data["kind"].map({KNOCK_OUT: "latents", CONTROL: "prompt"})
    places = [(part, model) for part in SHOWN for model in names(lines["model"])]
    there = set(zip(data["part"], data["model"], strict=True))
    places = [place for place in places if place in there]
    models, parts = names(lines["model"]), names(part for part, _ in places)
    rows = {
        part: {n: label for n, label in REPLACEMENTS.items() if n in set(of["row"])}
        for part, of in data.groupby("part")
    }
    figure, axes = canvas(
        "double",
        1.0 + 0.21 * sum(map(len, rows.values())),
        len(parts),
        len(models),
        sharex=True,
        sharey="row",
        height_ratios=[len(rows[part]) for part in parts],
    )
    grid = {
        place: axes[parts.index(place[0]) * len(models) + models.index(place[1])]
        for place in places
    }
    for (part, model), axis in grid.items():
        style = look_of(model, models)
        chosen = data[(data["model"] == model) & (data["part"] == part)]
        draw_dots(axis, chosen, rows[part], {"latents": style, "prompt": style | HOLLOW}, "delta")
    for axis in axes:
        axis.set_visible(axis in grid.values())
    for i, model in enumerate(models):
        column = [axis for (_, of), axis in grid.items() if of == model]
        column[0].set_title(model)
        column[-1].tick_params(axis="x", labelbottom=True)
        del i
    for axis, part in zip(axes[:: len(models)], parts, strict=True):
        axis.set_ylabel(PARTS[part])
    figure.supxlabel(CHANGE, fontsize=7.5)
    filled = {"marker": "o", "color": INK, "linestyle": "none"}
    axes[0].plot([], [], **filled, label="filled: in the slots")
    axes[0].plot([], [], **(filled | HOLLOW), label="hollow: on as many positions of the prompt")
    figure.legend(loc="outside upper center", ncols=2)
    keep = ["model", "part", "row", "series", "intervention", "n", "seeds"]
    kept = data[[*keep, "delta", "delta_low", "delta_high"]].reset_index(drop=True)
    text = (
        "Slots of one part hold something else at every step; hollow, the control: the same on as "
        "many positions of the prompt that the question does not need. 95 % intervals, paired by "
        f"question, n = {untouched(lines)['n'].min()} a model, {int(data['seeds'].max())} draws of "
        f"what is random. {INFERENCE} A latent's own value put back changes accuracy by "
        f"{100 * shams['delta'].abs().max():.1f} points at most."
    )
    return Drawing(figure, kept, caption(_finding(kept), text))


def _finding(data: pd.DataFrame) -> str:
    """How many replacements cost more than their control, and the least of them that does not."""
    pairs = data.pivot_table(
        ["delta_low", "delta_high"], ["model", "part", "row"], "series"
    ).dropna()
    if pairs.empty:
        return "No replacement has a control to be compared with."
    worse = pairs["delta_high"]["latents"] < pairs["delta_low"]["prompt"]
    told = []
    for part in (part for part in SHOWN if part in set(data["part"])):
        of_part = worse[worse.index.get_level_values("part") == part]
        each = [
            f"{int(of_model.sum())} of {len(of_model)} ({model})"
            for model, of_model in of_part.groupby(level="model", sort=False)
        ]
        told.append(f"{PARTS[part]}, {listed(each)}")
    return f"Replacements that cost more than the same on the prompt: {'; '.join(told)}."

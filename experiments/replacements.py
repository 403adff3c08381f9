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
from latentlab.figures.style import INK, canvas, look_of
from latentlab.measures.outcomes import SHAM
from latentlab.vocabulary import CONTROL, KNOCK_OUT, PARTS
from latentlab.wording import joined

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
    there = set(zip(data["part"], data["model"], strict=True))
    models, parts = names(lines["model"]), [part for part in SHOWN if part in set(data["part"])]
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
    panels = [(part, model) for part in parts for model in models]
    for axis, (part, model) in zip(axes, panels, strict=True):
        style = look_of(model, models)
        chosen = data[(data["model"] == model) & (data["part"] == part)]
        looks = {"latents": style, "prompt": style | HOLLOW}
        draw_dots(axis, chosen, rows[part], looks, "delta")
        axis.set_visible((part, model) in there)
        below = parts[parts.index(part) + 1 :]
        last = not any((other, model) in there for other in below)
        axis.tick_params(axis="x", labelbottom=last)
    for axis, model in zip(axes, models, strict=False):
        axis.set_title(model)
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
        f"what is random. {INFERENCE} A latent put back changes "
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
        told.append(f"{PARTS[part]}, {joined(each)}")
    return f"Replacements that cost more than the same on the prompt: {'; '.join(told)}."

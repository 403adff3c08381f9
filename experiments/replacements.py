"""Everything that can be put into the slots of all latents at once.

Study: `replacements` (`latentlab.ablate`), each model's latents (text and vision, all steps)
overwritten with zeros, means, noise, other latents or the placeholder token. Points of strict
accuracy lost, paired by question, beside the control: the same replacement on as many prompt
positions. CapImagine (arXiv 2602.22766), 2605.18641 and 2605.18445 publish such replacements for
other models, mostly without loss and without this control.
"""

from latentlab.paper import studies
from latentlab.paper.artifacts import Drawing
from latentlab.paper.dots import HOLLOW, draw_dots
from latentlab.paper.experiment import Found
from latentlab.paper.lines import (
    INFERENCE,
    LOST,
    REPLACEMENTS,
    names,
    overall,
    sample,
    untouched,
)
from latentlab.paper.style import canvas, look_of
from latentlab.vocabulary import CONTROL, KNOCK_OUT

STUDIES = (studies.REPLACEMENTS,)


def make(found: Found) -> Drawing:
    """The figure: a panel for each model, a row for each replacement."""
    lines = overall(found[studies.REPLACEMENTS.name].summary)
    shams = lines[lines["intervention"].str.startswith("sham ")]
    data = lines[lines["kind"].isin([KNOCK_OUT, CONTROL])].drop(index=shams.index)
    data = data.assign(
        row=data["intervention"].str.partition(" ")[0],
        series=data["kind"].map({KNOCK_OUT: "latents", CONTROL: "prompt positions"}),
    )
    rows = {name: label for name, label in REPLACEMENTS.items() if name in set(data["row"])}
    models = names(lines["model"])
    figure, axes = canvas(
        "double", 0.9 + 0.21 * len(rows), 1, len(models), sharex=True, sharey=True
    )
    for axis, model in zip(axes, models, strict=True):
        style = look_of(model, models)
        looks = {"latents": style, "prompt positions": style | HOLLOW}
        draw_dots(axis, data[data["model"] == model], rows, looks)
        axis.set_xlabel(LOST)
        axis.set_title(model)
    filled = {"marker": "o", "color": "#333333", "linestyle": "none"}
    axes[0].plot([], [], **filled, label="filled: on the latents")
    axes[0].plot([], [], **(filled | HOLLOW), label="hollow: on as many prompt positions")
    figure.legend(loc="outside upper center", ncols=2)
    kept = data[["model", "row", "series", "intervention", "n", "lost", "lost_low", "lost_high"]]
    caption = (
        f"Accuracy lost when the slots of all latents hold something else: "
        f"{sample(untouched(lines))}. {INFERENCE} Filled marks: text and vision of every step are "
        "overwritten. Hollow marks, the control: the same is done to as many positions of the "
        "prompt, words and patches alike; where it costs as much, such vectors hurt anywhere. "
        "Rows run from the crudest content to the subtlest; the last ones keep real latents. "
        "Differences are paired by question, bars are 95 % bootstrap intervals. Putting each "
        f"latent's own value back costs {100 * shams['lost'].abs().max():.1f} points at most. "
        "Published for other models: replacements of this kind mostly cost nothing (CapImagine; "
        "arXiv 2605.18641, 2605.18445)."
    )
    return Drawing(figure, kept.reset_index(drop=True), caption)

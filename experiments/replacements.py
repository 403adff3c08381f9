"""Everything that can be put into the slots of the latent text, or of the latent vision.

Study: `replacements` (`latentlab.ablate`), the slots of one part overwritten at every step with
zeros, means, noise, other latents, other patches or the placeholder token. Points of strict
accuracy lost, paired by question, beside the control: the same replacement on as many positions of
the prompt that the question does not need. CapImagine (arXiv 2602.22766), 2605.18641 and 2605.18445
publish such replacements for other models, mostly without loss and without this control.
"""

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.dots import HOLLOW, draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.lines import INFERENCE, LOST, REPLACEMENTS, names, overall, sample, untouched
from latentlab.figures.style import INK, canvas, look_of
from latentlab.measures.outcomes import SHAM
from latentlab.vocabulary import CONTROL, KNOCK_OUT, PARTS

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
    models, parts = names(lines["model"]), [part for part in SHOWN if part in set(data["part"])]
    rows = {
        part: {n: label for n, label in REPLACEMENTS.items() if n in set(of["row"])}
        for part, of in data.groupby("part")
    }
    height = 1.0 + 0.21 * sum(map(len, rows.values()))
    ratios = [len(rows[part]) for part in parts]
    figure, axes = canvas(
        "double", height, len(parts), len(models), sharex=True, sharey="row", height_ratios=ratios
    )
    places = [(part, model) for part in parts for model in models]
    for axis, (part, model) in zip(axes, places, strict=True):
        style = look_of(model, models)
        looks = {"latents": style, "prompt": style | HOLLOW}
        chosen = data[(data["model"] == model) & (data["part"] == part)]
        draw_dots(axis, chosen, rows[part], looks)
        if chosen.empty:
            axis.text(0.5, 0.5, "none", ha="center", va="center", transform=axis.transAxes)
    for axis, model in zip(axes, models, strict=False):
        axis.set_title(model)
    for axis in axes[-len(models) :]:
        axis.set_xlabel(LOST)
    for axis, part in zip(axes[:: len(models)], parts, strict=True):
        axis.set_ylabel(PARTS[part])
    filled = {"marker": "o", "color": INK, "linestyle": "none"}
    axes[0].plot([], [], **filled, label="filled: in the slots")
    axes[0].plot([], [], **(filled | HOLLOW), label="hollow: on as many positions of the prompt")
    figure.legend(loc="outside upper center", ncols=2)
    keep = ["model", "part", "row", "series", "intervention", "n", "seeds"]
    kept = data[[*keep, "lost", "lost_low", "lost_high"]]
    caption = (
        f"Accuracy lost when the slots of one part hold something else at every step: "
        f"{sample(untouched(lines))}; what is random is drawn {int(data['seeds'].max())} "
        f"times, a question counts once with its mean. {INFERENCE} Means, noise and donors come "
        "from questions that are not among these, donors of one domain or of any. Hollow marks: "
        "the same is done to as many positions of the prompt that the question does not "
        "need, for text words that name neither its start nor how many hops, for vision patches "
        "off its walk; where it costs as much, such vectors hurt anywhere. Rows run from the "
        "crudest content to the subtlest. Differences are paired by question, bars are 95 % "
        "bootstrap intervals. Putting each latent's own value back costs "
        f"{100 * shams['lost'].abs().max():.1f} points at most. Published for other models: "
        "replacements of this kind mostly cost nothing (CapImagine; arXiv 2605.18641, 2605.18445)."
    )
    return Drawing(figure, kept.reset_index(drop=True), caption)

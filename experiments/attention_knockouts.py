"""What answers lose when some positions may not attend to others.

Study: `patching` (`latentlab.patch`; attention knock-out of Geva et al., arXiv 2304.14767): keys
are hidden from the answer or from the latents in all layers; picks stay those of the undisturbed
run. Control: as many keys of the prompt hidden at random. ReaLVR and others read attention weights
without such a test; the IVT-LR paper has no counterpart.
"""

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.dots import HOLLOW, draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import UNPUBLISHED, WEIGHTS, legend, sampled
from latentlab.figures.lines import LOST, names, with_losses
from latentlab.figures.style import INK, canvas, look_of
from latentlab.patch.readout import KNOCKED_OUT
from latentlab.vocabulary import CONTROL

STUDIES = (studies.PATCHING,)

SERIES = {"knock-out": {}, CONTROL: HOLLOW}

KEYS = {"latent": "latents", "earlier": "earlier steps"}
"""Names of positions that differ from those of the study."""


def make(found: Found) -> Drawing:
    """The figure: a panel for each model, a row for each knock-out."""
    results = found[studies.PATCHING.name]
    lines = with_losses(results.summary)
    lines = lines[lines["mode"] == KNOCKED_OUT]
    data = lines[lines["layers"] == lines["layers"].max()]
    data = data.assign(
        row=data["slot"].where(data["control_of"] == "", data["control_of"]),
        series=data["kind"].where(data["kind"] == CONTROL, "knock-out"),
    )
    rows = {line["row"]: _label(line["query"], line["key"]) for _, line in data.iterrows()}
    models = names(data["model"])
    figure, axes = canvas("double", 0.8 + 0.28 * len(rows), 1, len(models), sharey=True)
    for axis, model in zip(axes, models, strict=True):
        looks = {name: look_of(model, models) | style for name, style in SERIES.items()}
        draw_dots(axis, data[data["model"] == model], rows, looks)
        axis.set(title=model, xlabel=LOST, xlim=(-15, 105))
    grey = {"color": INK, "marker": "o", "linestyle": "none"}
    marks = {"filled: named keys hidden": grey, "hollow: as many keys of the prompt": grey | HOLLOW}
    legend(figure, axes[0], marks, 2)
    caption = (
        "Accuracy lost when attention is knocked out in all layers: "
        f'{sampled(data, results.run["config"]["data"])}. {WEIGHTS} "answer: no latents" '
        "hides the latents from the positions of the answer, and so on; `prompt` is the text "
        "around the picture and the first token of all, on which attention rests where it looks "
        "at nothing, so that hiding it may harm by itself; picks stay those of the undisturbed "
        "run. Answers are read at the answer marker, by the likeliest first token among the "
        "options of the question and of its partner. "
        "Hollow, the control: as many keys of the prompt, image and text alike, hidden at random "
        "from the same positions; it may hit what is needed, and where the plan hides the prompt "
        "already there is nothing to hide, so it reads 0. Latent text is handed on without "
        "attention, and no knock-out stops that. Bars are 95 % bootstrap intervals over questions, "
        "paired."
        f" {UNPUBLISHED}"
    )
    kept = ["model", "row", "series", "slot", "layers", "n", "lost", "lost_low", "lost_high"]
    return Drawing(figure, data[kept].reset_index(drop=True), caption)


def _label(who: str, what: str) -> str:
    """A knock-out in words: who no longer sees what."""
    return f"{KEYS.get(who, who)}: no {KEYS.get(what, what).replace('_', ' ')}"

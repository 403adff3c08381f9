"""How alike latents are between questions and steps, next to ordinary tokens.

Study: `probe` (`latentlab.probe`): cosines of vectors of the same step of different questions and
of neighbouring steps of one question, raw, centred and whitened; effective rank (Roy and Vetterli,
2007). References are as many ordinary vectors. CapImagine (arXiv 2602.22766) and ReaLVR report
cosines near 1 and collapse along the steps for other models.
"""

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.dots import HOLLOW, offsets
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import WEIGHTS, legend, sampled
from latentlab.figures.lines import names
from latentlab.figures.marks import draw_intervals
from latentlab.figures.style import MUTED, canvas, look

STUDIES = (studies.PROBES,)

MEASURES = {
    "inter-example cosine, raw": "between questions,\nraw",
    "inter-example cosine, centred": "between questions,\ncentred",
    "inter-example cosine, whitened": "between questions,\nwhitened",
    "adjacent cosine, raw": "to step before,\nraw",
    "adjacent cosine, centred": "to step before,\ncentred",
    "effective rank, centred": "effective rank",
}
"""What is drawn, a column each."""

PLACES = {
    "latent_text": ("latent text", look(1)),
    "words": ("written words", look(2) | HOLLOW),
    "prompt": ("end of the prompt", look(3) | HOLLOW),
    "placeholder": ("empty slots", look(8) | HOLLOW),
    "latent_vision": ("re-inserted patches", look(4)),
    "patches": ("patches at random", look(6) | HOLLOW),
}
"""Name and look of each kind of vectors; ordinary ones are hollow."""


def make(found: Found) -> Drawing:
    """The figure: a row for each model, a column for each measure, steps along x."""
    results = found[studies.PROBES.name]
    lines = results.summary
    data = lines[lines["target"].isin(list(MEASURES)) & lines["step"].notna()]
    models = names(data["model"])
    places = [place for place in PLACES if place in set(data["place"])]
    shifts = dict(zip(places, offsets(len(places), 0.36), strict=True))
    height = 0.75 + 1.15 * len(models)
    figure, axes = canvas("double", height, len(models), len(MEASURES), sharex="col", sharey="col")
    panels = [(model, measure) for model in models for measure in MEASURES]
    for axis, (model, measure) in zip(axes, panels, strict=True):
        shown = data[(data["model"] == model) & (data["target"] == measure)]
        for place in places:
            curve = shown[shown["place"] == place].sort_values("step")
            _, style = PLACES[place]
            draw_intervals(axis, curve["step"] + shifts[place], curve, "value", **style)
        axis.axhline(0, color=MUTED, linewidth=0.6, zorder=0)
        axis.set_xticks(sorted(set(data.loc[data["target"] == measure, "step"].astype(int))))
        axis.margins(x=0.15)
    for axis, heading in zip(axes, MEASURES.values(), strict=False):
        axis.set_title(heading, fontsize=6.5)
    for axis, model in zip(axes[:: len(MEASURES)], models, strict=True):
        axis.set_ylabel(f"{model}\ncosine")
    for axis in axes[-len(MEASURES) :]:
        axis.set_xlabel("step")
    marks = {PLACES[place][0]: PLACES[place][1] for place in places}
    legend(figure, axes[0], marks, len(marks))
    shown = data[data["kind"] == "similarity"]
    caption = (
        "Similarity of latents along the steps next to ordinary vectors (hollow): "
        f"{sampled(shown, results.run['config']['data'])}. {WEIGHTS} Cosines between vectors of "
        "the same step of different questions, and between a step and the one before of one "
        "question; raw, after the common mean was taken off, and whitened. Effective rank: "
        "exponential of the entropy of the normalised singular values of centred vectors. Ordinary "
        "vectors: as many words of the written rationale, last positions of the prompt and empty "
        "slots, all after the final norm as latent text is, and, for re-inserted patches, patches "
        "drawn at random. What does not exist is left out: constants have no centred cosine. Bars "
        "are 95 % bootstrap intervals over questions, of jackknife pseudo-values for cosines "
        "between questions and for ranks, and mostly smaller than the marks. A high raw cosine is "
        "common to hidden states of any kind. Published of other models: latents of different "
        "questions nearly equal, collapse along the steps (CapImagine); adjacent cosine raw 0.89, "
        "centred 0.82, whitened 0.61 for LVR, and 0.48, 0.52, 0.10 for ordinary text (ReaLVR)."
    )
    columns = ["model", "place", "step", "target", "n", "value", "value_low", "value_high"]
    kept = data[data["place"].isin(places)][columns].astype({"step": int})
    return Drawing(figure, kept.reset_index(drop=True), caption)

"""Change of accuracy against the strength of noise on the latent text and on the latent vision.

Study: `noise` (`latentlab.ablate`): noise of sigma standard deviations, measured for each dimension
of each slot, is added to the latents of all steps, and each vector scaled back to its norm. Strict
accuracy, paired by question. Control: the same on as many positions of the prompt that the question
does not need. The PRISM paper (arXiv 2606.05753) publishes such a sweep for other models, units of
sigma not stated: noise of 0.1 moves accuracy by -1.6 to +2.6 points.
"""

import pandas as pd

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing, caption
from latentlab.figures.dots import HOLLOW
from latentlab.figures.experiment import Found
from latentlab.figures.lines import CHANGE, INFERENCE, names, overall, untouched
from latentlab.figures.marks import draw_intervals
from latentlab.figures.style import INK, MUTED, canvas, look_of
from latentlab.vocabulary import CONTROL, KNOCK_OUT, PARTS
from latentlab.wording import joined

PART = "appendix"
STUDIES = (studies.NOISE,)

KINDS = {KNOCK_OUT: "filled: in the slots", CONTROL: "hollow: on as many of the prompt"}
"""What noise is put on, as the legend calls it."""


def make(found: Found) -> Drawing:
    """The figure: a panel for each part, a curve for each model, filled and hollow."""
    results = found[studies.NOISE.name]
    lines = overall(results.summary)
    data = lines[lines["source"].str.endswith("noise") & lines["strength"].notna()]
    data = data.assign(sigma=data["strength"])
    models, sigmas = names(lines["model"]), sorted(set(data["sigma"]))
    parts = [part for part in PARTS if part in set(data["part"])]
    figure, axes = canvas("double", 2.4, 1, len(parts), sharex=True, sharey=True)
    for axis, part in zip(axes, parts, strict=True):
        for i, model in enumerate(models):
            for kind in KINDS:
                chosen = data[(data[["model", "part", "kind"]] == [model, part, kind]).all(axis=1)]
                chosen = chosen.sort_values("sigma")
                style = look_of(model, models) | (HOLLOW if kind == CONTROL else {})
                style["linestyle"] = ":" if kind == CONTROL else "-"
                shift = 0.08 * (i - (len(models) - 1) / 2)
                places = [sigmas.index(sigma) + shift for sigma in chosen["sigma"]]
                draw_intervals(axis, places, chosen, "delta", 100, **style)
        axis.set_title(f"noise on the {PARTS[part]}")
        axis.set_xticks(range(len(sigmas)), [f"{sigma:g}" for sigma in sigmas])
        axis.set_xlabel("strength σ (standard deviations)")
        axis.axhline(0, color=MUTED, linewidth=0.6, zorder=0)
    axes[0].set_ylabel(CHANGE)
    for model in models:
        axes[0].plot([], [], **look_of(model, models) | {"linestyle": "-"}, label=model)
    for kind, label in KINDS.items():
        mark = {"marker": "o", "color": INK, "linestyle": "none"}
        axes[0].plot([], [], **mark | (HOLLOW if kind == CONTROL else {}), label=label)
    figure.legend(loc="outside upper center", ncols=len(models) + len(KINDS))
    keep = ["model", "part", "sigma", "kind", "intervention", "n", "seeds"]
    kept = data[[*keep, "delta", "delta_low", "delta_high"]].reset_index(drop=True)
    norm = ", each vector scaled back to its norm" if results.run["config"]["keep_norm"] else ""
    drawn = (
        "Noise in standard deviations of each dimension of a slot over other questions, at all "
        f"steps{norm}. n = {untouched(lines)['n'].min()} questions a model, "
        f"{int(data['seeds'].max())} draws; 95 % intervals, paired by question. Strengths are "
        f"evenly spaced. {INFERENCE}"
    )
    return Drawing(figure, kept, caption(_finding(kept), drawn))


def _finding(data: pd.DataFrame) -> str:
    """The least noise from which on accuracy falls and stays below, for each model and part."""
    told = []
    done = data[data["kind"] == KNOCK_OUT]
    for part, of_part in done.groupby("part", sort=False):
        falls = []
        for model, curve in of_part.groupby("model", sort=False):
            below = curve.sort_values("sigma")["delta_high"].to_numpy() < 0
            sigmas = sorted(curve["sigma"])
            first = next((s for i, s in enumerate(sigmas) if below[i:].all()), None)
            falls.append(f"never ({model})" if first is None else f"from {first:g} SD ({model})")
        told.append(f"on {PARTS[str(part)]} {joined(falls)}")
    return f"Noise costs answers {'; '.join(told)}."

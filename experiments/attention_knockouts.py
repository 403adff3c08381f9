"""What answers lose when some positions may not attend to others, beyond as many random keys.

Study: `patching` (`latentlab.patch`; attention knock-out of Geva et al., arXiv 2304.14767): keys
are hidden from the answer or from the latents in all layers; picks stay those of the undisturbed
run. Control: as many keys of the prompt hidden at random. ReaLVR and others read attention weights
without such a test; the IVT-LR paper has no counterpart.
"""

import pandas as pd

from latentlab.figures import studies
from latentlab.figures.against import accuracy_beyond, with_controls
from latentlab.figures.artifacts import Drawing
from latentlab.figures.dots import draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import legend, sampled
from latentlab.figures.lines import names
from latentlab.figures.sentences import of_models
from latentlab.figures.style import canvas, look_of
from latentlab.patch.readout import KNOCKED_OUT

PART = "appendix"

STUDIES = (studies.PATCHING,)

COLUMNS = ["model", "row", "query", "key", "layers", "n", "delta", "delta_low", "delta_high"]

KEYS = {"latent": "latents", "earlier": "earlier steps"}
"""Names of positions that differ from those of the study."""


def make(found: Found) -> Drawing:
    """The figure: a row for each knock-out, a mark for each model."""
    results = found[studies.PATCHING.name]
    rows = results.rows[results.rows["mode"] == KNOCKED_OUT]
    pairs = with_controls(rows[rows["layers"] == rows["layers"].max()], ["hit", "patched"])
    lines = []
    for key, group in pairs.groupby(["model", "slot", "query", "key", "layers"], sort=False):
        beyond = accuracy_beyond(group)
        if beyond is not None:
            named = dict(zip(("model", "row", "query", "key", "layers"), key, strict=True))
            lines.append(named | {"n": beyond.n} | beyond.columns("delta"))
    data = pd.DataFrame(lines, columns=COLUMNS)
    labels = {line["row"]: _label(line["query"], line["key"]) for line in lines}
    models = names(data["model"])
    figure, (axis,) = canvas("single", 0.75 + max(0.16, 0.07 * len(models)) * len(labels))
    looks = {model: look_of(model, models) for model in models}
    draw_dots(axis, data.assign(series=data["model"]), labels, looks, "delta")
    axis.set_xlabel("change beyond the control (points)")
    legend(figure, axis, {m: style | {"linestyle": "none"} for m, style in looks.items()}, 4)
    caption = (
        f"{_finding(data, labels, len(pairs))}\n\n"
        f"Attention knocked out in all layers: {sampled(data, results.run['config']['data'])}; "
        "accuracy under the knock-out minus accuracy with as many keys of the "
        "prompt, image and text alike, hidden at random. No mark: both leave the answer exactly "
        "alike. Bars are 95 % intervals, paired by question."
    )
    return Drawing(figure, data, caption)


def _finding(data: pd.DataFrame, labels: dict[str, str], pairs: int) -> str:
    """What the first knock-out does in each model."""
    if data.empty:
        return f"In {pairs} comparisons no knock-out does anything that its control does not."
    row, label = next(iter(labels.items()))
    changes = of_models(data[data["row"] == row], "delta", "points", signed=True)
    return (
        f"With attention cut ({label}), accuracy changes by {changes} beyond what as many random "
        "keys of the prompt cost."
    )


def _label(who: str, what: str) -> str:
    """A knock-out in words: who no longer sees what."""
    return f"{KEYS.get(who, who)}: no {KEYS.get(what, what).replace('_', ' ')}"

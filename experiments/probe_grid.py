"""What probes read off the latent of each step: the object of every hop.

Study: `probe` (`latentlab.probe`): ridge probes, five folds, on latents as they are fed in and on
the residual stream at their slots, in the layer that tells a step's own hop best and in the last.
Controls: the same probe on shuffled labels, and probes that see the words of the question alone.
The IVT-LR paper has no probes; the grid of steps by hops follows a dissection
of Coconut ("The Curriculum Is the Mechanism").
"""

import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import UNPUBLISHED, WEIGHTS, sampled, widest
from latentlab.figures.lines import names
from latentlab.figures.marks import heat
from latentlab.figures.style import SEQUENTIAL, canvas
from latentlab.probe.probes import INPUT

STUDIES = (studies.PROBES,)

SHUFFLED, QUESTION = "shuffled", "question"

FED = {"latent_text": "latent text as fed in", "latent_vision": "re-inserted patches as fed in"}


def make(found: Found) -> Drawing:
    """The figure: a column for each model, a row for each place that is read."""
    results = found[studies.PROBES.name]
    lines = results.summary
    probes = lines[lines["kind"] == "probe"]
    objects = probes["target"].str.startswith("object ")
    probes = probes[objects] if objects.any() else probes[probes["target"] != "domain"]
    models = names(probes["model"])
    data = pd.concat([_grids(probes[probes["model"] == model]) for model in models])
    panels = names(data["panel"])
    rows = data.groupby("panel")["row"].nunique().max()
    height = 0.4 + (0.34 + 0.14 * rows) * len(panels)
    figure, axes = canvas("double", height, len(panels), len(models))
    for place, (panel, model) in enumerate((p, m) for p in panels for m in models):
        axis, shown = axes[place], data[(data["panel"] == panel) & (data["model"] == model)]
        if shown.empty:
            axis.set_axis_off()
        else:
            grid = shown.pivot(index="row", columns="target", values="value")
            grid = grid.loc[names(shown["row"]), names(shown["target"])]
            grid.columns = [name.replace("object", "hop") for name in grid.columns]
            heat(axis, 100 * grid, 0, 100)
            layer = shown["layer"].iloc[0]
            where = "" if layer == INPUT else f" ({layer})"
            axis.set_title(f"{panel}{where}", fontsize=6.5)
            if place % len(models):
                axis.tick_params(labelleft=False)
        if place < len(models):
            axis.set_title(f"{model}\n{axis.get_title()}", fontsize=7)
    figure.colorbar(
        ScalarMappable(Normalize(0, 100), SEQUENTIAL),
        ax=axes,
        label="read right (%)",
        shrink=0.5,
        pad=0.01,
    )
    caption = (
        "What linear probes read off each step's latent, in per cent of questions: "
        f"{sampled(probes, results.run['config']['data'])}. {WEIGHTS} Rows are steps, columns "
        "the objects of the hops; hop 0 is the start, which the question names. Panels: latents as "
        "they are fed in, the residual stream at their slot in the layer that tells a step's own "
        "hop best from the others (chosen on the same questions), and in the last layer, where the "
        "next step is made. Controls in the last two rows: shuffled labels (the mean of "
        f"{probes['shuffles'].max():.0f} shuffles, at the step where it is highest), and counts of "
        "the question's words. Ridge probes, five folds. Wilson intervals of 95 % (of shuffled "
        f"labels over questions and shuffles) {widest(data, 'value')}. What can be read "
        f"need not be used (`interchange`, `knockouts`). {UNPUBLISHED}"
    )
    kept = ["model", "panel", "layer", "row", "target", "n", "value", "value_low", "value_high"]
    return Drawing(figure, data[kept].reset_index(drop=True), caption)


def _grids(probes: pd.DataFrame) -> pd.DataFrame:
    """The cells of every panel of one model."""
    panels = {name: probes[probes["place"] == place] for place, name in FED.items()}
    slots = probes[probes["place"] == "slot"]
    if len(slots):
        own = slots[slots["target"] == "object " + slots["step"].astype(int).astype("str")]
        score, of = ("step_selectivity", own) if len(own) else ("selectivity", slots)
        best = of.groupby("layer")[score].mean().idxmax()
        panels["its slot, best layer"] = slots[slots["layer"] == best]
        panels["its slot, last layer"] = slots[slots["layer"] == slots["layer"].max()]
    question = probes[probes["place"] == "question"].assign(row=QUESTION)
    found = []
    for name, cells in panels.items():
        if cells.empty:
            continue
        steps = cells.assign(row="step " + cells["step"].astype(int).astype("str"))
        ends = ("", "_low", "_high")
        highest = cells.loc[cells.groupby("target", sort=False)["control"].idxmax()]
        highest = highest.assign(
            row=SHUFFLED, **{f"value{end}": highest[f"control{end}"] for end in ends}
        )
        panel = pd.concat([steps, highest, question])
        layer = int(cells["layer"].iloc[0])
        found.append(panel.assign(panel=name, layer=layer))
    return pd.concat(found)

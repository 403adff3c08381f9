"""What probes read off the latent of each step: the object of every hop.

Study: `probe` (`latentlab.probe`): ridge probes, five folds, on latents as they are fed in.
Controls: the same probe on shuffled labels, and probes that see the words of the question alone.
The study has the residual stream and re-inserted patches as well. The IVT-LR paper has no probes;
the grid of steps by hops follows a dissection of Coconut ("The Curriculum Is the Mechanism").
"""

import pandas as pd

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import sampled, widest
from latentlab.figures.lines import names
from latentlab.figures.marks import heat
from latentlab.figures.style import canvas
from latentlab.probe.probes import INPUT
from latentlab.wording import joined

PART = "main"

STUDIES = (studies.PROBES,)

SHUFFLED, QUESTION = "shuffled labels", "question's words"

FED = ("latent_text", "latent_vision")
"""Places that may be shown: the first that a model has."""


def make(found: Found) -> Drawing:
    """The figure: a panel for each model, steps by hops, the controls below."""
    results = found[studies.PROBES.name]
    lines = results.summary
    probes = lines[lines["kind"] == "probe"]
    objects = probes["target"].str.startswith("object ")
    probes = probes[objects] if objects.any() else probes[probes["target"] != "domain"]
    models = names(probes["model"])
    data = pd.concat([_grid(probes[probes["model"] == model]) for model in models])
    rows = names(data["row"])
    figure, axes = canvas("double", 0.75 + 0.17 * len(rows), 1, len(models), sharey=True)
    for axis, model in zip(axes, models, strict=True):
        shown = data[data["model"] == model]
        grid = shown.pivot(index="row", columns="target", values="value")
        grid = grid.reindex(index=rows, columns=names(shown["target"]))
        grid.columns = [name.replace("object", "hop") for name in grid.columns]
        image = heat(axis, 100 * grid, 0, 100)
        axis.set_title(model)
    figure.colorbar(image, ax=axes, label="read right (%)", pad=0.01)
    shuffles = probes["shuffles"].max()
    caption = (
        f"{_finding(data, models)}\n\n"
        "What linear probes read off the latent text of each step, in per cent of questions: "
        f"{sampled(probes, results.run['config']['data'])}. Hop 0 is "
        f"named in the question. Controls: shuffled labels (mean of {shuffles:.0f}, at the highest "
        "step) and the question's words alone. Wilson intervals of 95 % "
        f"{widest(data, 'value')}."
    )
    kept = ["model", "place", "row", "target", "n", "value", "value_low", "value_high"]
    return Drawing(figure, data[kept].reset_index(drop=True), caption)


def _grid(probes: pd.DataFrame) -> pd.DataFrame:
    """The cells of one model: its steps, and the two controls."""
    fed = probes[probes["layer"] == INPUT]
    place = next(place for place in FED if place in set(fed["place"]))
    cells = fed[fed["place"] == place]
    steps = cells.assign(row="step " + cells["step"].astype(int).astype("str"))
    highest = cells.loc[cells.groupby("target", sort=False)["control"].idxmax()]
    shuffled = {f"value{end}": highest[f"control{end}"] for end in ("", "_low", "_high")}
    question = probes[probes["place"] == "question"].assign(row=QUESTION)
    return pd.concat([steps, highest.assign(row=SHUFFLED, **shuffled), question])


def _finding(data: pd.DataFrame, models: list[str]) -> str:
    """How often each step gives away the object of its own hop, and shuffled labels at most."""
    own = data[data["target"] == data["row"].str.replace("step", "object")]
    highest = 100 * data.loc[data["row"] == SHUFFLED, "value"].max()
    if own.empty:
        best = data[~data["row"].isin((SHUFFLED, QUESTION))].nlargest(1, "value").iloc[0]
        told = f"{best['row']} gives away the {best['target']} in {100 * best['value']:.0f} %"
    else:
        of = [own.loc[own["model"] == model, "value"] for model in models]
        each = [
            f"{joined([f'{100 * value:.0f}' for value in values])} % ({model})"
            for model, values in zip(models, of, strict=True)
        ]
        told = f"each step in turn gives away the object of its own hop in {'; '.join(each)}"
    return f"{told[0].upper()}{told[1:]} of questions, shuffled labels in {highest:.0f} % at most."

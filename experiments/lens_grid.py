"""What the unembedding reads off each place in the last layer: the objects of the hops, in order.

Study: `lens` (`latentlab.lens`): how often the object of a hop is the top token of the last layer's
state, which the next latent is made of (logit lens). Control: an object of the same picture that is
not on the walk. The IVT-LR paper has no counterpart.
"""

import pandas as pd

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import sampled, widest
from latentlab.figures.lines import names
from latentlab.figures.marks import heat
from latentlab.figures.style import canvas
from latentlab.lens.summary import ATTRIBUTION
from latentlab.lens.targets import ANSWER, OTHER_OBJECT, OTHER_OPTION
from latentlab.measures.summary import ALL
from latentlab.wording import joined

PART = "appendix"

STUDIES = (studies.LENSES,)

LENS = "logit lens"

LABELS = {OTHER_OBJECT: "off the walk"}


def make(found: Found) -> Drawing:
    """The figure: a panel for each model, a row for each object, a column for each place."""
    results = found[studies.LENSES.name]
    lines = results.summary
    lines = lines[(lines["domain"] == ALL) & (lines["measure"] == LENS)]
    lines = lines[(lines["measure"] != ATTRIBUTION) & (lines["slot"] != "latent_vision")]
    last = lines.groupby("model")["layer"].transform("max")
    data = lines[lines["layer"] == last].sort_values("step", kind="stable")
    hops = sorted(name for name in names(data["target"]) if name.startswith("hop "))
    targets = [*hops, OTHER_OBJECT] if hops else [ANSWER, OTHER_OPTION]
    data = _placed(data[data["target"].isin(targets)])
    models, columns = names(data["model"]), names(data["column"])
    height = 0.75 + 0.17 * len(targets)
    figure, axes = canvas("double", height, 1, len(models), sharey=True)
    for axis, model in zip(axes, models, strict=True):
        grid = data[data["model"] == model].pivot(index="target", columns="column", values="top1")
        image = heat(axis, 100 * grid.reindex(index=targets, columns=columns), 0, 100)
        axis.set_yticks(range(len(targets)), [LABELS.get(name, name) for name in targets])
        axis.set_title(model)
    figure.colorbar(image, ax=axes, label="top token (%)", pad=0.01)
    caption = (
        f"{_finding(data, models, targets)}\n\n"
        "Logit lens on the last layer, in per cent of questions: "
        f"{sampled(data, results.run['config']['data'])}; at the last position of the prompt, the "
        "newest slot of each step, off which the next latent is made, and the answer marker. "
        f"Wilson intervals of 95 % {widest(data, 'top1')}."
    )
    kept = ["model", "target", "column", "layer", "n", "top1", "top1_low", "top1_high"]
    return Drawing(figure, data[kept].reset_index(drop=True), caption)


def _placed(lines: pd.DataFrame) -> pd.DataFrame:
    """Lines with the column of the grid that they belong into."""
    column = "step " + lines["step"].astype(int).astype("str")
    column = column.mask(lines["step"] == 0, "prompt").mask(lines["slot"] == "answer", "answer")
    return lines.assign(column=column)


def _finding(data: pd.DataFrame, models: list[str], targets: list[str]) -> str:
    """Where each object is read best, model by model, and how often the control at most."""
    *wanted, control = targets
    best = data.groupby(["model", "target"])["top1"].max()
    told = [
        f"{joined([f'{100 * best[model, name]:.0f}' for name in wanted])} % ({model})"
        for model in models
    ]
    what = f"{wanted[0]} to {wanted[-1].split()[-1]}" if len(wanted) > 1 else "the answer"
    highest = 100 * data.loc[data["target"] == control, "top1"].max()
    return (
        f"At the place that reads it best, the object of {what} is the top token in "
        f"{'; '.join(told)} of questions, the control in {highest:.0f} % at most."
    )

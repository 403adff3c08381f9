"""How each way to answer is learnt: held-out accuracy over updates, a line for each training.

No study: `data/compared_curves.csv` (`_compared_seeds.py` makes it), out of the logs of trainings
that start from one base model of their seed and take the same updates on the same questions.
Held-out accuracy is measured after each stage on the validation split. A model with latent steps
takes as many as the stage has and writes the rest, so only its last points are its own way.
"""

from pathlib import Path

import pandas as pd

from latentlab.compare.ways import WAYS, called
from latentlab.console import typeset
from latentlab.figures import trained
from latentlab.figures.artifacts import Drawing, caption
from latentlab.figures.compared import look_of_way
from latentlab.figures.experiment import Found, Study
from latentlab.figures.style import GRID, LEAST_TYPE, canvas
from latentlab.wording import joined

PART = "appendix"
STUDIES: tuple[Study, ...] = ()

DATA = Path(__file__).parent / "data" / "compared_curves.csv"

COLUMNS = 5
"""Panels side by side."""


def make(found: Found) -> Drawing:
    """The figure: a panel for each way, a thin line for each training."""
    data = _curves(pd.read_csv(DATA, dtype={"hops": str}))
    ways = [way for way in WAYS if way in set(data["way"])]
    rows = -(-len(ways) // COLUMNS)
    figure, axes = canvas("double", 0.6 + 1.25 * rows, rows, COLUMNS, sharex=True, sharey=True)
    for axis in axes[len(ways) :]:
        axis.remove()
    for axis, way in zip(axes, ways, strict=False):
        colour, _ = look_of_way(way, ways)
        for _, curve in data[data["way"] == way].groupby("training_seed"):
            axis.plot(curve["updates"], 100 * curve["accuracy"], color=colour, linewidth=0.9)
        count = data.loc[data["way"] == way, "training_seed"].nunique()
        axis.set_title(f"{called(way)} ({count})", fontsize=LEAST_TYPE)
        axis.grid(axis="y", color=GRID, linewidth=0.5)
        axis.set_ylim(0, 103)
        axis.set_xticks([0, 1000, 2000])
    figure.supxlabel("updates after the base model", fontsize=7.5)
    figure.supylabel("held-out accuracy (%)", fontsize=7.5)
    ends = data.loc[data.groupby(["way", "training_seed"])["updates"].idxmax()]
    least, most = (ends.loc[getattr(ends["accuracy"], f)()] for f in ("idxmin", "idxmax"))
    finding = (
        f"After {most['updates']:,} updates held-out accuracy on questions with most hops lies "
        f"between {typeset(100 * least['accuracy'])} % ({called(least['way'])}) and "
        f"{typeset(100 * most['accuracy'])} % ({called(most['way'])})."
    )
    sizes = [str(n) for n in sorted(set(data["n"]))]
    drawn = (
        f"Strict accuracy after each stage on {joined(sizes)} held-out questions of "
        f"{data['hops'].iloc[0]} hops, one line a training (how many); those of a way differ in "
        "their seed, the base model's included. 95 % Wilson intervals over questions are in the "
        "CSV file. Ways with latent steps take as many as the stage has and write the rest."
    )
    return Drawing(figure, data, caption(finding, drawn))


def _curves(lines: pd.DataFrame) -> pd.DataFrame:
    """Accuracy over all domains after each stage of each training, of the hardest questions."""
    lines = trained.hardest(lines[lines["domain"] != "all"])
    keys = ["way", "training_seed", "stage", "updates", "hops"]
    points = [
        dict(zip(keys, key, strict=True)) | trained.pooled(group)
        for key, group in lines.groupby(keys, sort=False)
    ]
    return pd.DataFrame(points).sort_values(["way", "training_seed", "updates"], ignore_index=True)

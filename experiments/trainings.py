"""IVT-LR beside every other way, training by training: does a difference come back?

No study: `data/compared_seeds.parquet` (`_compared_seeds.py` makes it), what every training of the
ten ways answers to the same questions of four hops. Trainings of one seed begin as one base model.
An interval over questions says how far another set of questions might move a difference, and one
over trainings, of which there are few, how far another seed might. They stand side by side.
"""

import pandas as pd

from latentlab.compare.ways import WAYS, called
from latentlab.console import MISSING
from latentlab.figures.artifacts import Table, caption
from latentlab.figures.cells import with_interval
from latentlab.figures.compared import over_trainings
from latentlab.figures.experiment import Found, Study
from latentlab.wording import joined, number_word

PART = "appendix"
STUDIES: tuple[Study, ...] = ()

HOPS = "4"
"""The hardest questions that trainings are asked."""


def make(found: Found) -> Table:
    """A line for each other way, a column for each training, and their mean."""
    data = over_trainings("ivtlr", [way for way in WAYS if way != "ivtlr"], HOPS)
    cells, above, below = [], [], []
    for way, lines in data.groupby("way", sort=False):
        each, mean = lines[lines["training_seed"].notna()], lines[lines["training_seed"].isna()]
        cell = {"IVT-LR less": called(str(way))}
        for _, line in each.iterrows():
            cell[f"seed {line['training_seed']:.0f}\n(points)"] = _points(line)
        cell["mean of trainings\n(points)"] = _points(mean.iloc[0]) if len(mean) else MISSING
        cells.append(cell)
        if (each["difference_low"] > 0).all():
            above.append(called(str(way)))
        if (each["difference_high"] < 0).all():
            below.append(called(str(way)))
    trainings = data["training_seed"].nunique()
    finding = (
        f"In each of {number_word(trainings)} trainings IVT-LR answers more than "
        f"{joined(above) or 'no other way'}, and {joined(below) or 'no other way'} more than it; "
        "other differences do not come back each time."
    )
    n = data["n"].min()
    drawn = (
        f"Strict accuracy of IVT-LR less that of another way of the same seed, n = {n} questions "
        "of four hops, with Tango's 95 % interval over questions. Mean: with an interval over "
        "questions and trainings, of which there are few."
    )
    return Table(pd.DataFrame(cells).fillna(MISSING), data, caption(finding, drawn))


def _points(line: "pd.Series[float]") -> str:
    ends = (100 * line[f"difference{end}"] for end in ("", "_low", "_high"))
    return with_interval(*ends, signed=True)

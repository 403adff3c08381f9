"""The organisms trained from several seeds: four hops and one, by domain.

Reads `experiments/data/seeds.csv`: test accuracies of the embedded models (seed 0) and of further
trainings, about a thousand questions of each kind a training. `_retrained.py` makes it.
"""

from pathlib import Path

import pandas as pd

from latentlab.console import interval_text
from latentlab.figures.artifacts import Table
from latentlab.figures.experiment import Found, Study

STUDIES: tuple[Study, ...] = ()

DATA = Path(__file__).parent / "data" / "seeds.csv"


def make(found: Found) -> Table:
    """Put the trainings side by side, and how far they lie apart."""
    lines = pd.read_csv(DATA)
    seeds = sorted(lines["training_seed"].unique())
    trained = lines.groupby("model")["training_seed"].nunique()
    shown = lines[lines["model"].map(trained) == len(seeds)]
    cells = []
    for (model, hops, domain), group in shown.groupby(["model", "hops", "domain"], sort=False):
        by_seed = group.set_index("training_seed")
        cell = {"model": model, "hops": str(hops), "domain": domain}
        for seed in seeds:
            line = by_seed.loc[seed]
            ends = line["accuracy_low"], line["accuracy_high"]
            cell[f"seed {seed}, % [95 %]"] = interval_text(line["accuracy"], *ends)
        values = 100 * by_seed["accuracy"]
        cell["mean, %"] = f"{values.mean():.1f}"
        cell["lowest to highest"] = f"{values.min():.1f} to {values.max():.1f}"
        cells.append(cell)
    n = shown.loc[shown["domain"] == "all", "n"]
    caption = (
        f"Accuracy of organisms trained from {len(seeds)} seeds; "
        f"n = {n.min()} to {n.max()} test questions a training and number of hops. Intervals are "
        "over questions (Wilson); how far trainings lie apart stands beside them and is not in "
        "them. Seed 0 is embedded. For each seed all is trained anew, the explicit base model "
        "included."
    )
    return Table(pd.DataFrame(cells), shown, caption)

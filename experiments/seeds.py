"""The organisms trained from a second seed: four hops and one, by domain.

Reads `experiments/data/seeds.csv`: test accuracies of the embedded models (seed 0) and of a second
training of those whose accuracy was set out beforehand, n = 1,000 questions of each kind a seed.
"""

from pathlib import Path

import pandas as pd

from latentlab.console import interval_text
from latentlab.paper.artifacts import Table
from latentlab.paper.experiment import Found, Study

STUDIES: tuple[Study, ...] = ()

DATA = Path(__file__).parent / "data" / "seeds.csv"


def make(found: Found) -> Table:
    """Put the seeds side by side, and their mean."""
    lines = pd.read_csv(DATA)
    seeds = sorted(lines["seed"].unique())
    trained = lines.groupby("model")["seed"].nunique()
    shown = lines[lines["model"].map(trained) == len(seeds)]
    cells = []
    for (model, hops, domain), group in shown.groupby(["model", "hops", "domain"], sort=False):
        by_seed = group.set_index("seed")
        cell = {"model": model, "hops": str(hops), "domain": domain}
        for seed in seeds:
            line = by_seed.loc[seed]
            ends = line["accuracy_low"], line["accuracy_high"]
            cell[f"seed {seed}, % [95 %]"] = interval_text(line["accuracy"], *ends)
        cell["mean, %"] = f"{100 * by_seed['accuracy'].mean():.1f}"
        cells.append(cell)
    n = shown.loc[shown["domain"] == "all", "n"]
    caption = (
        f"Accuracy of organisms trained from {len(seeds)} seeds; "
        f"n = {n.min()} to {n.max()} test questions a seed and number of hops, Wilson intervals. "
        "Seed 0 is embedded. For each seed all is trained anew, the explicit base model included."
    )
    return Table(pd.DataFrame(cells), shown, caption)

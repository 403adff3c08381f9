"""The organisms trained from several seeds: accuracy, and how far seeds lie apart.

Reads `experiments/data/seeds.csv`: test accuracies of the embedded models (seed 0) and of further
trainings, about a thousand questions of each kind a training. `_retrained.py` makes it.
"""

from pathlib import Path

import pandas as pd

from latentlab.console import typeset
from latentlab.figures.artifacts import Table, caption
from latentlab.figures.cells import with_interval
from latentlab.figures.experiment import Found, Study

PART = "appendix"
STUDIES: tuple[Study, ...] = ()

DATA = Path(__file__).parent / "data" / "seeds.csv"


def make(found: Found) -> Table:
    """Put the trainings side by side; by domain they are in the numbers of the table alone."""
    lines = pd.read_csv(DATA)
    seeds = sorted(lines["training_seed"].unique())
    trained = lines.groupby("model")["training_seed"].nunique()
    shown = lines[lines["model"].map(trained) == len(seeds)]
    whole = shown[shown["domain"] == "all"]
    cells, spreads = [], []
    for (model, hops), group in whole.groupby(["model", "hops"], sort=False):
        by_seed = group.set_index("training_seed")
        cell = {"model": model, "hops": str(hops)}
        for seed in seeds:
            ends = (100 * by_seed.loc[seed, f"accuracy{end}"] for end in ("", "_low", "_high"))
            cell[f"seed {seed}\naccuracy (%)"] = with_interval(*ends)
        values = 100 * by_seed["accuracy"]
        spreads.append((values.max() - values.min(), model, hops))
        cell["highest less\nlowest (points)"] = typeset(spreads[-1][0])
        cells.append(cell)
    widest, model, hops = max(spreads)
    finding = (
        f"Trainings of one organism from {len(seeds)} seeds lie at most {typeset(widest)} points "
        f"apart ({model}, {hops} hops)."
    )
    drawn = (
        f"Strict accuracy with 95 % Wilson intervals over questions, n = {whole['n'].min()} to "
        f"{whole['n'].max()} test questions a training and number of hops; how far seeds lie apart "
        "is not in the intervals. Seed 0 is embedded. For each seed all was trained anew, the "
        "explicit base model included. Domains are in the CSV file."
    )
    return Table(pd.DataFrame(cells), shown, caption(finding, drawn), grouped=True)

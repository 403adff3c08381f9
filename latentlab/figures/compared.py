"""What the figures about ways to answer share: their looks, and further trainings of each."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from latentlab.compare.pairs import of_group, side_by_side
from latentlab.compare.ways import PLAYED_BY
from latentlab.figures.config import EXPERIMENTS
from latentlab.figures.style import model_style
from latentlab.measures.changes import accuracy_difference
from latentlab.measures.repeated import over_draws

SEEDS = EXPERIMENTS / "data" / "compared_seeds.parquet"
"""Answers of every training; `experiments/_compared_seeds.py` makes it."""


def look_of_way(way: str, ways: Sequence[str]) -> tuple[str, str]:
    """Colour and mark of a way: those of the twin that was trained for it."""
    return model_style(PLAYED_BY.get(way, way), [PLAYED_BY.get(one, one) for one in ways])


def over_seeds(hops: str, path: Path = SEEDS) -> pd.DataFrame:
    """How far trainings of one way lie apart.

    Args:
        hops: of which questions; `all` or any other number than theirs gives no lines.
        path: answers of every training.

    Returns:
        Indexed by way: the number of `trainings`, and the strict accuracy of the `lowest` and of
        the `highest`. Trainings are never pooled.
    """
    columns = ["trainings", "lowest", "highest"]
    if not path.is_file():
        return pd.DataFrame(columns=columns)
    rows = pd.read_parquet(path, columns=["way", "training_seed", "hops", "correct"])
    rows = rows[rows["hops"].astype("string") == hops]
    each = rows.groupby(["way", "training_seed"], sort=False)["correct"].mean()
    of_way = each.groupby("way")
    return pd.DataFrame(
        {"trainings": of_way.size(), "lowest": of_way.min(), "highest": of_way.max()}
    )


def over_trainings(way: str, others: Sequence[str], hops: str, path: Path = SEEDS) -> pd.DataFrame:
    """What one way answers more than others, in each training and on the average.

    Args:
        way: the one.
        others: the others; those that were never trained beside it give no lines.
        hops: of which questions.
        path: answers of every training.

    Returns:
        One line for each other `way` and `training_seed` that both have, with the paired
        `difference` in strict accuracy and its interval over `n` questions; where there are
        several, a line without a seed has their mean and an interval over questions and trainings
        (`measures.repeated.over_draws`).
    """
    rows = of_group(pd.read_parquet(path), hops)
    right, clusters = side_by_side(rows, ["way", "training_seed"])
    trained = rows.groupby("way")["training_seed"].agg(set).to_dict()
    lines: list[dict[str, object]] = []
    for other in others:
        seeds = sorted(trained.get(way, set()) & trained.get(other, set()))
        drawn = []
        for seed in seeds:
            after, before = (right[one, seed].to_numpy(bool) for one in (way, other))
            found = accuracy_difference(after, before, clusters)
            lines.append({"way": other, "training_seed": seed, "n": found.n})
            lines[-1] |= found.columns("difference")
            drawn.append(after.astype(float) - before)
        if len(seeds) > 1:
            mean = over_draws(np.stack(drawn))
            lines.append({"way": other, "training_seed": None, "n": mean.n})
            lines[-1] |= mean.columns("difference")
    return pd.DataFrame(lines)

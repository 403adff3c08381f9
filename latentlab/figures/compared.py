"""What the figures about ways to answer share: their looks, and further trainings of each."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from latentlab.compare.ways import PLAYED_BY
from latentlab.figures.config import EXPERIMENTS
from latentlab.figures.style import model_style

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

"""Repeated draws of one arm: several seeds, and still as many examples as were asked.

Answers to one example under several draws of noise are not independent. Each example therefore
enters once, with its mean over seeds: more seeds steady that mean and add nothing to n.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats


def mean_over_seeds(rows: pd.DataFrame, key: Sequence[str], values: Sequence[str]) -> pd.DataFrame:
    """Leave one row for each example and arm, with means over seeds.

    Args:
        rows: one row per example, arm and seed.
        key: columns that name an example under an arm.
        values: numeric columns to average; a mean is missing where a value is.

    Returns:
        The first row of each, in order, with `values` averaged and the column `seeds`: how many
        there were.
    """
    found = rows.astype(dict.fromkeys(values, "float64"))
    grouped = found.groupby(list(key), sort=False)
    seeds = grouped[key[0]].transform("size")
    if (seeds == 1).all():
        return found.assign(seeds=1)
    for name in values:
        known = grouped[name].transform("count") == seeds
        found[name] = grouped[name].transform("mean").where(known)
    return found.assign(seeds=seeds).drop_duplicates(list(key))


def sign_flip(treated: npt.ArrayLike, baseline: npt.ArrayLike, seeds: int) -> float:
    """Exact two-sided p-value that two sets of mean scores do not differ (Fisher, 1935).

    If the arm does nothing, each example's difference is as likely to have the other sign. With one
    seed this is McNemar's exact test.

    Args:
        treated: (example,) of means over `seeds` answers that are right or wrong.
        baseline: (example,) of the same, in the same order.
        seeds: answers that a mean is made of, so that `seeds` times a difference is whole.
    """
    difference = np.asarray(treated, dtype=float) - np.asarray(baseline, dtype=float)
    steps = np.rint(difference * seeds).astype(int)
    # The distribution of the sum under random signs: one convolution for each size of difference.
    chances = np.ones(1)
    for size, count in zip(*np.unique(np.abs(steps[steps != 0]), return_counts=True), strict=True):
        spread = np.zeros(count * size + 1)
        spread[::size] = stats.binom.pmf(np.arange(count + 1), count, 0.5)
        chances = np.convolve(chances, spread)
    sums = 2 * np.arange(len(chances)) - (len(chances) - 1)
    return float(min(chances[np.abs(sums) >= abs(steps.sum())].sum(), 1.0))

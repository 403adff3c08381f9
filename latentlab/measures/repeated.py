"""What was drawn several times anew on the same examples: noise of several seeds, shuffled labels.

Draws of one example are not independent, and they are a second source of chance beside examples.
So either each example enters once, with its mean over draws (more draws steady that mean and add
nothing to n), or the interval answers for both sources: the more examples, the less one over
examples alone knows of the draws.
"""

from collections.abc import Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import t as student

from latentlab.measures.statistics import LEVEL, N_RESAMPLES, Interval, bootstrap_interval


def mean_over_seeds(rows: pd.DataFrame, key: Sequence[str], values: Sequence[str]) -> pd.DataFrame:
    """Leave one row for each example and arm, with means over seeds.

    Args:
        rows: one row per example, arm and seed.
        key: columns that name an example under an arm.
        values: numeric columns to average; a mean is missing where a value is.

    Returns:
        The first row of each, in order, with `values` averaged, the column `seeds`: how many there
        were, and where there is a column `cluster`, the labels under all of them.
    """
    found = rows.astype(dict.fromkeys(values, "float64"))
    grouped = found.groupby(list(key), sort=False)
    seeds = grouped[key[0]].transform("size")
    if (seeds == 1).all():
        return found.assign(seeds=1)
    for name in values:
        known = grouped[name].transform("count") == seeds
        found[name] = grouped[name].transform("mean").where(known)
    if "cluster" in found:
        labels = grouped["cluster"].agg(lambda of: list(dict.fromkeys(chain(*of))))
        found["cluster"] = found[list(key)].join(labels, on=list(key))["cluster"]
    return found.assign(seeds=seeds).drop_duplicates(list(key))


def over_draws(values: npt.ArrayLike, n_resamples: int = N_RESAMPLES, seed: int = 0) -> Interval:
    """A mean over examples of what was drawn several times anew, as shuffled labels are.

    The interval answers for both: the bootstrap's, over examples, of each example's mean over the
    draws, and Student's for the mean over draws, half-widths added in quadrature. What chance does
    within an example counts in both, so it is rather too wide. One draw says nothing of others; its
    interval is that over examples.

    Args:
        values: (draw, example) of numbers; all draws are of the same examples, in one order.
        n_resamples: See `bootstrap_interval`.
        seed: See `bootstrap_interval`.

    Raises:
        ValueError: No draws or examples, or a missing value.
    """
    drawn = np.atleast_2d(np.asarray(values, dtype=np.float64))
    over_examples = bootstrap_interval(drawn.mean(axis=0), n_resamples, seed)
    if len(drawn) == 1:
        return over_examples
    deviation = drawn.mean(axis=1).std(ddof=1) / np.sqrt(len(drawn))
    between = student.ppf((1 + LEVEL) / 2, len(drawn) - 1) * deviation
    mean = over_examples.mean
    low, high = (np.hypot(mean - end, between) for end in (over_examples.low, over_examples.high))
    # No mean lies beyond the values it is of.
    bounds = (float(drawn.min()), float(drawn.max()))
    return Interval(mean, max(mean - low, bounds[0]), min(mean + high, bounds[1]), drawn.shape[1])

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

from latentlab.measures.changes import change_interval
from latentlab.measures.clusters import Clusters
from latentlab.measures.statistics import (
    LEVEL,
    N_RESAMPLES,
    Interval,
    accuracy_interval,
    bootstrap_interval,
)


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


def drawn_interval(
    values: npt.ArrayLike,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
    clusters: Clusters | None = None,
    *,
    changes: bool = True,
) -> Interval:
    """A mean over examples of answers, or of what changes about them, each a mean over draws.

    Where draws agree on every example, as a single one does, it has the score interval of its
    counts (`change_interval`, `accuracy_interval`). Elsewhere it has the percentile bootstrap over
    examples: more draws steady a value, which counts cannot show.

    Args:
        values: (example,) from -1 to 1, or from 0 to 1.
        n_resamples: See `bootstrap_interval`.
        seed: See `bootstrap_interval`.
        clusters: See `bootstrap_interval`.
        changes: Whether they are differences of right or wrong; else they are right or wrong.

    Raises:
        ValueError: As `bootstrap_interval`.
    """
    if np.isin(values, (-1, 0, 1) if changes else (0, 1)).all():
        return (change_interval if changes else accuracy_interval)(values, clusters)
    return bootstrap_interval(values, n_resamples, seed, clusters)


def over_draws(
    values: npt.ArrayLike,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
    *,
    changes: bool = True,
) -> Interval:
    """A mean over examples of what was drawn several times anew, as shuffled labels are.

    The interval answers for both: that over examples of each example's mean over the draws
    (`drawn_interval`), and Student's for the mean over draws, half-widths added in quadrature. What
    chance does within an example counts in both, so it is rather too wide. One draw says nothing of
    others; its interval is that over examples.

    Args:
        values: (draw, example) of right or wrong, or of differences of these; all draws are of the
            same examples, in one order.
        n_resamples: See `bootstrap_interval`.
        seed: See `bootstrap_interval`.
        changes: See `drawn_interval`.

    Raises:
        ValueError: No draws or examples, or a missing value.
    """
    drawn = np.atleast_2d(np.asarray(values, dtype=np.float64))
    over_examples = drawn_interval(drawn.mean(axis=0), n_resamples, seed, changes=changes)
    if len(drawn) == 1:
        return over_examples
    deviation = drawn.mean(axis=1).std(ddof=1) / np.sqrt(len(drawn))
    between = student.ppf((1 + LEVEL) / 2, len(drawn) - 1) * deviation
    mean = over_examples.mean
    low, high = (np.hypot(mean - end, between) for end in (over_examples.low, over_examples.high))
    # A share lies between 0 and 1 and a change of it between -1 and 1, whatever was drawn.
    bounds = (min(float(drawn.min()), -1.0 if changes else 0.0), max(float(drawn.max()), 1.0))
    return Interval(mean, max(mean - low, bounds[0]), min(mean + high, bounds[1]), drawn.shape[1])

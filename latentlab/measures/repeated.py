"""Intervals of what was drawn several times anew on the same examples, as shuffled labels are.

Draws are a second source of chance beside examples. The more examples, the less an interval over
examples alone knows of it.
"""

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from latentlab.measures.statistics import LEVEL, N_RESAMPLES, Interval, bootstrap_interval


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

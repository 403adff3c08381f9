"""Intervals of what changes about answers: each is lost, gained or neither, on the same examples.

A bootstrap of such changes has no width where none was seen, and too little where few were. The
score interval (Tango, 1998) asks which differences the counts do not contradict, as Wilson's does
for one fraction; where all changes go one way, the far ends of both are the same.
"""

from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.stats import norm

from latentlab.measures.clusters import Clusters, design_effect
from latentlab.measures.samples import binary, checked, paired
from latentlab.measures.significance import exact_p
from latentlab.measures.statistics import LEVEL, Interval

_STEP = 1e-12
"""How far from the estimate ends are looked for."""


def accuracy_difference(
    treated: npt.ArrayLike, baseline: npt.ArrayLike, clusters: Clusters | None = None
) -> Interval:
    """How much more often `treated` is right than `baseline` on the same examples.

    Args:
        treated: (example,) of booleans, or of zeros and ones.
        baseline: (example,), in the same order.
        clusters: what examples share, see `measures.clusters`; None where nothing.

    Raises:
        ValueError: No examples, a missing value, one that is neither 0 nor 1, or lengths that
            differ.
    """
    after, before = paired(binary(treated, "treated"), binary(baseline, "baseline"))
    return change_interval(after - before, clusters)


def change_interval(changes: npt.ArrayLike, clusters: Clusters | None = None) -> Interval:
    """A mean change of answers with its score interval (Tango, 1998).

    For clusters it counts as many examples as would tell as much if they were independent. Its
    near end is 0 where McNemar's exact test of the same counts does not reject at 5 %: for few
    changes the score interval alone would exclude 0 sooner (at four that all go one way).

    Args:
        changes: (example,) of -1 (lost), 0 and 1 (gained).
        clusters: what examples share, see `measures.clusters`; None where nothing.

    Raises:
        ValueError: No changes, a missing one, or one of another size.
    """
    sample = checked(changes, "changes")
    if not np.isin(sample, (-1, 0, 1)).all():
        raise ValueError("changes holds values other than -1, 0 and 1")
    effect = design_effect(sample, clusters)
    gained, lost = (float((sample == sign).sum()) / effect for sign in (1, -1))
    low, high = _score(gained, lost, len(sample) / effect)
    mean = float(sample.mean())
    # At -1 and 1 the formula passes the estimate by a rounding error.
    found = Interval(mean, min(low, mean), max(high, mean), len(sample))
    return reaching(found, exact_p(gained, lost))


def reaching(interval: Interval, p: float) -> Interval:
    """The interval, extended to 0 where a test of the same difference does not exclude 0."""
    if p <= 1 - LEVEL:
        return interval
    return Interval(interval.mean, min(interval.low, 0.0), max(interval.high, 0.0), interval.n)


def _score(gained: float, lost: float, n: float) -> tuple[float, float]:
    """Both differences at which the score statistic is as large as the level allows.

    The statistic of a difference d is (gained - lost - n d) / sqrt(n (2 q + d (1 - d))), where q is
    the likeliest rate of losses if d is true (Tango, 1998, equations 5 and 7).
    """
    z = float(norm.ppf((1 + LEVEL) / 2))

    def beyond(d: float, sign: int) -> float:
        b = (2 * n - gained + lost) * d - gained - lost
        q = (sqrt(max(b * b + 8 * n * lost * d * (1 - d), 0.0)) - b) / (4 * n)
        return gained - lost - n * d - sign * z * sqrt(max(n * (2 * q + d * (1 - d)), 0.0))

    # At the estimate itself the variance can be 0, which would be taken for a solution.
    middle = (gained - lost) / n
    below, above = middle - _STEP, middle + _STEP
    low = brentq(beyond, -1, below, (1,)) if below > -1 else -1.0
    high = brentq(beyond, above, 1, (-1,)) if above < 1 else 1.0
    return float(low), float(high)

"""The one place where intervals are computed, and what they allow to say.

Every table of LatentLab shows an estimate with an interval, and all intervals come from here: one
level, one method for each kind of number, and the same refusals. So do verdicts, and the smallest
effect that a sample could have shown. p-values are in `measures.significance`.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import norm
from statsmodels.stats import proportion

from latentlab.measures.bootstrap import resampled_means, resampled_sums
from latentlab.measures.clusters import Clusters, design_effect
from latentlab.measures.samples import Floats, binary, checked, paired

LEVEL = 0.95
"""Coverage that every interval aims at."""

N_RESAMPLES = 2000
"""Bootstrap samples an interval is read from, unless told otherwise."""

POWER = 0.8
"""Chance with which the smallest effect that a sample could show would be found."""

MARGIN = 0.05
"""Change of accuracy, 5 points, that has to be excluded before "no harm" may be said."""

_TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
_POWERED = float(norm.ppf((1 + LEVEL) / 2) + norm.ppf(POWER))  # slow to ask for at every line

Verdict = Literal["harm", "gain", "no harm", "cannot tell"]
"""What an interval allows to say about an effect."""


@dataclass(frozen=True)
class Interval:
    """An estimate with the interval around it."""

    mean: float
    """The estimate, in the unit of the values: an accuracy lies between 0 and 1."""

    low: float
    """Lower end."""

    high: float
    """Upper end."""

    n: int
    """Examples it rests on."""

    def columns(self, name: str = "value") -> dict[str, float]:
        """The estimate and its ends as tables have them: `name`, `name_low`, `name_high`."""
        return {name: self.mean, f"{name}_low": self.low, f"{name}_high": self.high}


def columns_of(name: str, interval: Interval | None) -> dict[str, float]:
    """`Interval.columns`, missing where there is nothing to estimate."""
    return (interval or Interval(np.nan, np.nan, np.nan, 0)).columns(name)


def accuracy_interval(correct: npt.ArrayLike, clusters: Clusters | None = None) -> Interval:
    """A proportion with its Wilson score interval (Wilson, 1927).

    Unlike the bootstrap it keeps a width at 0 % and 100 %, where most controls end up. For clusters
    it counts as many examples as would tell as much if they were independent (Kish, 1965).

    Args:
        correct: (example,) of booleans, or of zeros and ones.
        clusters: what examples share, see `measures.clusters`; None where nothing.

    Raises:
        ValueError: Nothing to count, a missing value, or one that is neither 0 nor 1.
    """
    hits = binary(correct, "correct")
    effect = design_effect(hits, clusters)
    low, high = proportion.proportion_confint(
        hits.sum() / effect, len(hits) / effect, alpha=1 - LEVEL, method="wilson"
    )
    mean = float(hits.mean())
    # At 0 and 1 the formula passes the estimate by a rounding error.
    return Interval(mean, min(float(low), mean), max(float(high), mean), len(hits))


def bootstrap_interval(
    values: npt.ArrayLike,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
    clusters: Clusters | None = None,
) -> Interval:
    """A mean with its percentile bootstrap interval (Efron, 1979), resampling examples.

    For clusters it is widened about the mean by the root of their design effect, within the range
    of the values. Where all values are equal the interval has no width: it cannot show what was
    never seen.

    Args:
        values: (example,) of numbers.
        n_resamples: How many resamples the percentiles are taken from.
        seed: Seed of the resampling.
        clusters: What examples share, see `measures.clusters`; None where nothing.

    Raises:
        ValueError: No values, a missing one, or labels that are not as many.
    """
    sample = checked(values, "values")
    means = resampled_means(sample, n_resamples, seed)
    mean, ends = sample.mean(), np.quantile(means, _TAILS)
    effect = design_effect(sample, clusters)
    if effect > 1:
        ends = np.clip(_widened(ends, mean, effect), sample.min(), sample.max())
    return Interval(float(mean), float(ends[0]), float(ends[1]), len(sample))


def paired_difference(
    treated: npt.ArrayLike,
    baseline: npt.ArrayLike,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
    clusters: Clusters | None = None,
) -> Interval:
    """How much `treated` lies above `baseline` on the same examples, with a bootstrap interval.

    Args:
        treated: (example,) of numbers or booleans.
        baseline: (example,), in the same order.
        n_resamples: See `bootstrap_interval`.
        seed: See `bootstrap_interval`.
        clusters: See `bootstrap_interval`.

    Raises:
        ValueError: No examples, a missing value, or lengths that differ.
    """
    after, before = paired(treated, baseline)
    return bootstrap_interval(after - before, n_resamples, seed, clusters)


def ratio_interval(
    numerator: npt.ArrayLike,
    denominator: npt.ArrayLike,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
    clusters: Clusters | None = None,
) -> Interval | None:
    """A ratio of two means over the same examples, with a paired percentile bootstrap interval.

    Both means are taken over one set of resampled examples, so that what they share cancels. Where
    the interval of the denominator includes 0 the ratio could be anything: its resamples scatter
    without bounds.

    Args:
        numerator: (example,) of numbers.
        denominator: (example,), in the same order.
        n_resamples: See `bootstrap_interval`.
        seed: See `bootstrap_interval`.
        clusters: See `bootstrap_interval`.

    Returns:
        The ratio, or None where the interval of the denominator includes 0.

    Raises:
        ValueError: No examples, a missing value, or lengths that differ.
    """
    over, under = paired(numerator, denominator, ("numerator", "denominator"))
    pairs = np.stack([over, under], axis=1)[np.lexsort((over, under))]
    sums = resampled_sums(pairs, n_resamples, seed)
    mean = under.mean()
    lowest, highest = _widened(
        np.quantile(sums[:, 1] / len(pairs), _TAILS), mean, design_effect(under, clusters)
    )
    if lowest <= 0 <= highest:
        return None
    ratio = over.mean() / mean
    # A rare resample may still sum to 0; it lies beyond any interval.
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.quantile(np.nan_to_num(sums[:, 0] / sums[:, 1]), _TAILS)
    # To first order a ratio varies as its numerator does beyond what the denominator explains.
    low, high = _widened(ends, ratio, design_effect(over - ratio * under, clusters))
    # Nothing over something negative is 0, not -0.
    return Interval(float(ratio) + 0.0, float(low) + 0.0, float(high) + 0.0, len(pairs))


def smallest_effect(
    differences: npt.ArrayLike, clusters: Clusters | None = None, *, answers: bool = True
) -> float:
    """The smallest mean paired difference that a sample like this would find, with 80 % power.

    A two-sided test at 5 % finds a true mean of d with 80 % power where d is z = z_.975 + z_.8 =
    2.8 standard errors (normal approximation; Cohen, 1988, chapter 2). The standard error is that
    of the sample, except where that is less than an effect would bring with it: answers change by
    -1, 0 or 1, so that a mean of d has at least the variance d (1 - d), and d = z^2 / (n + z^2) at
    least: eight answers that all change the same way. So a sample in which nothing varied has a
    smallest effect too.

    Args:
        differences: (example,) of an intervention's value minus the untouched one.
        clusters: What examples share, see `measures.clusters`; None where nothing.
        answers: whether they are differences of right or wrong; of other numbers nothing is known
            where none varied.

    Returns:
        The effect in the unit of the differences, above 0; NaN where it is not known.

    Raises:
        ValueError: No differences, or a missing one.
    """
    sample = checked(differences, "differences")
    z = _POWERED
    n = len(sample) / design_effect(sample, clusters)
    error = float(sample.std(ddof=1)) / n**0.5 if len(sample) > 1 else 0.0
    if answers:
        return max(z * error, z**2 / (n + z**2))
    return z * error or float("nan")


def judge(interval: Interval, margin: float = MARGIN) -> Verdict:
    """What may be said about an effect: harm or gain where 0 is excluded, no harm by equivalence.

    "No harm" needs the whole interval within the margin on both sides, which is what two one-sided
    tests at 2.5 % ask for (Schuirmann, 1987). A harm that is excluded to be 0 stays a harm however
    small. Where no answer changed the interval has no width; up to a share of -ln(2.5 %) / n = 3.7
    / n they would still all be missed with a chance of 2.5 % (the rule of three at this level,
    Hanley and Lippman-Hand, 1983), so neither end may be closer to 0 than that.

    Args:
        interval: a difference of accuracies, or of other fractions, with its interval.
        margin: the least difference that would matter, above 0 and in the same unit.

    Raises:
        ValueError: The margin is not above 0.
    """
    if margin <= 0:
        raise ValueError(f"the margin is {margin}: a difference that matters is above 0")
    if interval.high < 0:
        return "harm"
    if interval.low > 0:
        return "gain"
    unseen = -float(np.log((1 - LEVEL) / 2)) / interval.n
    furthest = max(-interval.low, interval.high, unseen)
    return "no harm" if furthest < margin else "cannot tell"


def _widened(ends: Floats, mean: float, effect: float) -> Floats:
    """The ends of an interval about `mean`, as for that many times its variance."""
    return mean + (ends - mean) * effect**0.5 if effect > 1 else ends

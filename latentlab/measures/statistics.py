"""The one place where intervals and p-values are computed.

Every table of LatentLab shows an estimate with an interval, and all intervals come from here: one
level, one method for each kind of number, and the same refusals. Missing values and empty samples
raise instead of spreading.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.stats import norm
from scipy.stats import t as student
from statsmodels.stats import contingency_tables, proportion

LEVEL = 0.95
"""Coverage that every interval aims at."""

N_RESAMPLES = 2000
"""Bootstrap samples an interval is read from, unless told otherwise."""

_BLOCK = 4_000_000  # counts held at a time: 32 MB, whatever the size of the sample
_FEW_VALUES = 16  # up to which drawing counts of values beats counting draws

Floats = npt.NDArray[np.float64]


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


def accuracy_interval(correct: npt.ArrayLike) -> Interval:
    """A proportion with its Wilson score interval (Wilson, 1927).

    Unlike the bootstrap it keeps a width at 0 % and 100 %, where most controls end up.

    Args:
        correct: (example,) of booleans, or of zeros and ones.

    Raises:
        ValueError: Nothing to count, a missing value, or one that is neither 0 nor 1.
    """
    hits = _binary(correct, "correct")
    low, high = proportion.proportion_confint(
        int(hits.sum()), len(hits), alpha=1 - LEVEL, method="wilson"
    )
    mean = float(hits.mean())
    # At 0 and 1 the formula passes the estimate by a rounding error.
    return Interval(mean, min(float(low), mean), max(float(high), mean), len(hits))


def bootstrap_interval(
    values: npt.ArrayLike, n_resamples: int = N_RESAMPLES, seed: int = 0
) -> Interval:
    """A mean with its percentile bootstrap interval (Efron, 1979), resampling examples.

    A resample only matters through how often it draws each distinct value, and these counts are
    multinomial. Drawing them directly gives the same distribution and, for the three values that
    a difference of two answers can take, costs next to nothing. Where most values are distinct,
    the counts of one set of resamples serve every sample of that size.

    Where all values are equal the interval has no width: it cannot show what was never seen.

    Args:
        values: (example,) of numbers.
        n_resamples: How many resamples the percentiles are taken from.
        seed: Seed of the resampling.

    Raises:
        ValueError: No values, or a missing one.
    """
    sample = _sample(values, "values")
    distinct, counts = np.unique(sample, return_counts=True)
    if len(distinct) > _FEW_VALUES and len(sample) * n_resamples <= _BLOCK:
        means = _resampled(len(sample), n_resamples, seed) @ np.sort(sample) / len(sample)
    else:
        rng = np.random.default_rng(seed)
        block = max(1, _BLOCK // len(distinct))
        means = np.concatenate(
            [
                rng.multinomial(len(sample), counts / len(sample), min(block, n_resamples - done))
                @ distinct
                / len(sample)
                for done in range(0, n_resamples, block)
            ]
        )
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(sample.mean()), float(low), float(high), len(sample))


@lru_cache(maxsize=4)
def _resampled(size: int, n_resamples: int, seed: int) -> Floats:
    """How often each resample draws each of `size` examples: (resample, example)."""
    rng = np.random.default_rng(seed)
    draws = rng.integers(size, size=(n_resamples, size)) + size * np.arange(n_resamples)[:, None]
    counts = np.bincount(draws.ravel(), minlength=n_resamples * size)
    return counts.reshape(n_resamples, size).astype(np.float64)


def paired_difference(
    treated: npt.ArrayLike,
    baseline: npt.ArrayLike,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> Interval:
    """How much `treated` lies above `baseline` on the same examples, with a bootstrap interval.

    Args:
        treated: (example,) of numbers or booleans.
        baseline: (example,), in the same order.
        n_resamples: See `bootstrap_interval`.
        seed: See `bootstrap_interval`.

    Raises:
        ValueError: No examples, a missing value, or lengths that differ.
    """
    after, before = _pair(_sample(treated, "treated"), _sample(baseline, "baseline"))
    return bootstrap_interval(after - before, n_resamples, seed)


def smallest_effect(differences: npt.ArrayLike) -> float:
    """The smallest mean paired difference that a sample like this would find, with 80 % power.

    z_.975 + z_.8 = 2.8 standard errors, and z^2 / (n + z^2) at least, where nothing varied.
    """
    sample = _sample(differences, "differences")
    z = float(norm.ppf((1 + LEVEL) / 2) + norm.ppf(0.8))
    error = float(sample.std(ddof=1)) / len(sample) ** 0.5 if len(sample) > 1 else 0.0
    return max(z * error, z**2 / (len(sample) + z**2))


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


def ratio_interval(
    numerator: npt.ArrayLike,
    denominator: npt.ArrayLike,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
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

    Returns:
        The ratio, or None where the interval of the denominator includes 0.

    Raises:
        ValueError: No examples, a missing value, or lengths that differ.
    """
    over, under = _sample(numerator, "numerator"), _sample(denominator, "denominator")
    if len(over) != len(under):
        raise ValueError(f"{len(over)} numerators and {len(under)} denominators: pairs are needed")
    pairs = np.stack([over, under], axis=1)[np.lexsort((over, under))]
    block = max(1, min(n_resamples, _BLOCK // len(pairs)))
    sums = np.concatenate(
        [
            _resampled(len(pairs), min(block, n_resamples - done), seed + done) @ pairs
            for done in range(0, n_resamples, block)
        ]
    )
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    lowest, highest = np.quantile(sums[:, 1], tails)
    if lowest <= 0 <= highest:
        return None
    # A rare resample may still sum to 0; it lies beyond any interval.
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = np.quantile(np.nan_to_num(sums[:, 0] / sums[:, 1]), tails)
    ratio = over.mean() / under.mean()
    # Nothing over something negative is 0, not -0.
    return Interval(float(ratio) + 0.0, float(low) + 0.0, float(high) + 0.0, len(pairs))


def mcnemar(treated: npt.ArrayLike, baseline: npt.ArrayLike) -> float:
    """Exact two-sided p-value that two sets of answers are equally often right (McNemar, 1947).

    Only examples on which the two disagree carry evidence: under the null hypothesis each is as
    likely to have been lost as gained. Without any the p-value is 1.

    Args:
        treated: (example,) of booleans, or of zeros and ones.
        baseline: (example,), in the same order.

    Raises:
        ValueError: No examples, a missing value, one that is neither 0 nor 1, or lengths that
            differ.
    """
    after, before = _pair(_binary(treated, "treated"), _binary(baseline, "baseline"))
    lost, gained = int((before > after).sum()), int((after > before).sum())
    return float(contingency_tables.mcnemar([[0, lost], [gained, 0]], exact=True).pvalue)


def holm(p_values: Sequence[float] | Floats) -> Floats:
    """P-values adjusted for having been computed together (Holm, 1979), in the same order.

    Rejecting where the adjusted value is at most 5 % keeps the chance of any false rejection among
    them at most 5 %, however they depend on each other.

    Raises:
        ValueError: No p-values, or one that is missing or not between 0 and 1.
    """
    raw = _sample(p_values, "p_values")
    if raw.min() < 0 or raw.max() > 1:
        raise ValueError("p_values holds a number that is not between 0 and 1")
    order = np.argsort(raw)
    scaled = raw[order] * np.arange(len(raw), 0, -1)
    adjusted = np.empty_like(raw)
    # No p-value may end below one that was smaller before.
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1)
    return adjusted


def _sample(values: npt.ArrayLike, name: str) -> Floats:
    """`values` as floats, refused where a mean of them would mean nothing."""
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1:
        raise ValueError(f"{name} has shape {sample.shape}: one value per example is needed")
    if len(sample) == 0:
        raise ValueError(f"{name} is empty: there is nothing to estimate from")
    if np.isnan(sample).any():
        raise ValueError(f"{name} holds {int(np.isnan(sample).sum())} missing values")
    return sample


def _binary(values: npt.ArrayLike, name: str) -> Floats:
    """`values` as zeros and ones."""
    sample = _sample(values, name)
    if not np.isin(sample, (0, 1)).all():
        raise ValueError(f"{name} holds values other than true and false")
    return sample


def _pair(treated: Floats, baseline: Floats) -> tuple[Floats, Floats]:
    """Both samples, refused where they cannot be of the same examples."""
    if len(treated) != len(baseline):
        raise ValueError(
            f"{len(treated)} treated and {len(baseline)} baseline values: pairs are needed"
        )
    return treated, baseline

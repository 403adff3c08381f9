"""p-values: of answers against answers, and of many looked at together.

Each is exact for examples that are independent: how often chance alone would do as much, where an
intervention does nothing. Where they share clusters, it is that of as many examples as would tell
as much if they were independent.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from latentlab.measures.clusters import Clusters, design_effect
from latentlab.measures.samples import Floats, binary, checked, paired


def mcnemar(
    treated: npt.ArrayLike, baseline: npt.ArrayLike, clusters: Clusters | None = None
) -> float:
    """Exact two-sided p-value that two sets of answers are equally often right (McNemar, 1947).

    Only examples on which the two disagree carry evidence: under the null hypothesis each is as
    likely to have been lost as gained. Without any the p-value is 1.

    Args:
        treated: (example,) of booleans, or of zeros and ones.
        baseline: (example,), in the same order.
        clusters: What examples share, see `measures.clusters`; None where nothing.

    Raises:
        ValueError: No examples, a missing value, one that is neither 0 nor 1, or lengths that
            differ.
    """
    after, before = paired(binary(treated, "treated"), binary(baseline, "baseline"))
    effect = design_effect(after - before, clusters)
    return exact_p(float((before > after).sum()) / effect, float((after > before).sum()) / effect)


def exact_p(one: float, other: float) -> float:
    """Twice the chance that a fair coin falls so unequally, at most 1.

    The binomial tail is an incomplete beta function, which also takes the fractional counts that a
    design effect leaves.

    Args:
        one: how often it fell one way.
        other: how often it fell the other way.
    """
    most, least = max(one, other), min(one, other)
    return min(2 * float(special.betainc(most, least + 1, 0.5)), 1.0) if most else 1.0


def sign_flip(
    treated: npt.ArrayLike, baseline: npt.ArrayLike, seeds: int, clusters: Clusters | None = None
) -> float:
    """Exact two-sided p-value that two sets of mean scores do not differ (Fisher, 1935).

    If the arm does nothing, each example's difference is as likely to have the other sign. With one
    seed this is McNemar's exact test.

    Args:
        treated: (example,) of means over `seeds` answers that are right or wrong.
        baseline: (example,) of the same, in the same order.
        seeds: answers that a mean is made of, so that `seeds` times a difference is whole.
        clusters: See `mcnemar`.
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
    p = float(min(chances[np.abs(sums) >= abs(steps.sum())].sum(), 1.0))
    return _discounted(p, design_effect(difference, clusters))


def holm(p_values: Sequence[float] | Floats) -> Floats:
    """P-values adjusted for having been computed together (Holm, 1979), in the same order.

    Rejecting where the adjusted value is at most 5 % keeps the chance of any false rejection among
    them at most 5 %, however they depend on each other.

    Raises:
        ValueError: No p-values, or one that is missing or not between 0 and 1.
    """
    raw = checked(p_values, "p_values")
    if raw.min() < 0 or raw.max() > 1:
        raise ValueError("p_values holds a number that is not between 0 and 1")
    order = np.argsort(raw)
    scaled = raw[order] * np.arange(len(raw), 0, -1)
    adjusted = np.empty_like(raw)
    # No p-value may end below one that was smaller before.
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1)
    return adjusted


def _discounted(p: float, effect: float) -> float:
    """A two-sided p-value whose normal deviate is divided by the root of a design effect.

    For large samples this is the test of Obuchowski (1998) for clustered pairs.
    """
    return p if effect == 1 else float(2 * stats.norm.sf(stats.norm.isf(p / 2) / effect**0.5))

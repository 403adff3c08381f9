"""Bootstrap resamples (Efron, 1979) of means and sums, drawn the cheapest way that is exact.

A module of its own, so that what an interval is (`measures.statistics`) can be read without how its
resamples are drawn.
"""

from functools import lru_cache

import numpy as np

from latentlab.measures.samples import Floats

_BLOCK = 4_000_000  # counts held at a time: 32 MB, whatever the size of the sample
_FEW_VALUES = 16  # up to which drawing counts of values beats counting draws


def resampled_means(sample: Floats, n_resamples: int, seed: int) -> Floats:
    """Means of resamples, (resample,).

    A resample only matters through how often it draws each distinct value, and these counts are
    multinomial. Drawing them directly gives the same distribution and, for the three values that
    a difference of two answers can take, costs next to nothing. Where most values are distinct,
    the counts of one set of resamples serve every sample of that size.

    Args:
        sample: (example,) of numbers.
        n_resamples: how many resamples.
        seed: seed of the resampling.
    """
    distinct, counts = np.unique(sample, return_counts=True)
    if len(distinct) > _FEW_VALUES and len(sample) * n_resamples <= _BLOCK:
        return _counts(len(sample), n_resamples, seed) @ np.sort(sample) / len(sample)
    rng = np.random.default_rng(seed)
    block = max(1, _BLOCK // len(distinct))
    return np.concatenate(
        [
            rng.multinomial(len(sample), counts / len(sample), min(block, n_resamples - done))
            @ distinct
            / len(sample)
            for done in range(0, n_resamples, block)
        ]
    )


def resampled_sums(columns: Floats, n_resamples: int, seed: int) -> Floats:
    """Sums of several columns over the same resamples, (resample, column).

    Args:
        columns: (example, column) of numbers.
        n_resamples: how many resamples.
        seed: seed of the resampling.
    """
    block = max(1, min(n_resamples, _BLOCK // len(columns)))
    return np.concatenate(
        [
            _counts(len(columns), min(block, n_resamples - done), seed + done) @ columns
            for done in range(0, n_resamples, block)
        ]
    )


@lru_cache(maxsize=4)
def _counts(size: int, n_resamples: int, seed: int) -> Floats:
    """How often each resample draws each of `size` examples: (resample, example)."""
    rng = np.random.default_rng(seed)
    draws = rng.integers(size, size=(n_resamples, size)) + size * np.arange(n_resamples)[:, None]
    counts = np.bincount(draws.ravel(), minlength=n_resamples * size)
    return counts.reshape(n_resamples, size).astype(np.float64)

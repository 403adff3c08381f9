"""Changes of answers whose truth is known, to see how often an interval holds it."""

import numpy as np
import numpy.typing as npt


def simulated(
    rng: np.random.Generator, lost: float, gained: float, n: int, size: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.str_]]:
    """Changes of n answers, and labels: questions in groups of `size` share something.

    In a third of the groups whatever happens happens to the whole group; the expected change stays
    gained - lost.

    Returns:
        (example,) of -1, 0 and 1, and (example,) labels.
    """
    groups = n // size
    whole = rng.random((groups, 1)) < 1 / 3
    draws = np.where(whole, rng.random((groups, 1)), rng.random((groups, size))).ravel()
    sample = np.where(draws < lost, -1.0, np.where(draws > 1 - gained, 1.0, 0.0))
    return sample, np.repeat(np.arange(groups), size).astype(str)

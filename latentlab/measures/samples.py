"""Samples as arrays, refused where a number made of them would mean nothing.

Missing values and empty samples raise instead of spreading.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def checked(values: npt.ArrayLike, name: str) -> Floats:
    """One value per example as floats.

    Args:
        values: (example,) of numbers or booleans.
        name: what they are, for the message.

    Raises:
        ValueError: Another shape, no values, or a missing one.
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1:
        raise ValueError(f"{name} has shape {sample.shape}: one value per example is needed")
    if len(sample) == 0:
        raise ValueError(f"{name} is empty: there is nothing to estimate from")
    if np.isnan(sample).any():
        raise ValueError(f"{name} holds {int(np.isnan(sample).sum())} missing values")
    return sample


def binary(values: npt.ArrayLike, name: str) -> Floats:
    """The same, of zeros and ones.

    Raises:
        ValueError: As `checked`, or a value that is neither 0 nor 1.
    """
    sample = checked(values, name)
    if not np.isin(sample, (0, 1)).all():
        raise ValueError(f"{name} holds values other than true and false")
    return sample


def paired(
    one: npt.ArrayLike, other: npt.ArrayLike, names: tuple[str, str] = ("treated", "baseline")
) -> tuple[Floats, Floats]:
    """Two samples of the same examples, in the same order.

    Raises:
        ValueError: As `checked`, or the lengths differ.
    """
    first, second = checked(one, names[0]), checked(other, names[1])
    if len(first) != len(second):
        raise ValueError(
            f"{len(first)} {names[0]} and {len(second)} {names[1]} values: pairs are needed"
        )
    return first, second

"""How numbers are written: with their interval, a true minus, and no more digits than they have.

A signed number is always a change, after minus before: negative is worse. In a file it has the
minus of a keyboard, on the screen and in sentences the one of print.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    Line = Mapping[Any, Any] | pd.Series[Any]

MINUS = "\N{MINUS SIGN}"

_COARSE = 0.02
"""Width of an interval, as a fraction, from which on a percentage is told without decimals."""

MANY = 100
"""As many as make one of them worth less than a point."""

_MOST = 3
"""Decimals at most."""

_PARTS = 5
"""Steps of the last digit that an interval spans at least."""


def typeset(number: float, decimals: int = 1, sign: bool = False, thousands: bool = False) -> str:
    """A number with a true minus, and none before a zero.

    Args:
        number: the number.
        decimals: digits after the point.
        sign: whether it is a change, of which a plus is told as well.
        thousands: whether these are set apart.
    """
    text = f"{number:{'+' if sign else ''}{',' if thousands else ''}.{decimals}f}"
    if not float(text.replace(",", "")):
        text = text.lstrip("+-")
    return text.replace("-", MINUS)


def decimals_of(width: float, percent: bool = True) -> int:
    """Digits after the point that an interval of this width leaves room for.

    Args:
        width: width of the interval.
        percent: whether it is of a fraction, told in per cent or points; of anything else the
            interval spans a few steps of the last digit.
    """
    if percent:
        return 0 if width >= _COARSE else 1
    if not width or not math.isfinite(width):
        return 2
    return min(max(math.ceil(math.log10(_PARTS / width)), 0), _MOST)


def amount(value: float, low: float, high: float, unit: str = "%", sign: bool = False) -> str:
    """An estimate with its unit and interval, as in `89 % [86, 92]`.

    Args:
        value: the estimate.
        low: lower end.
        high: upper end.
        unit: `%` and `points` are of fractions; anything else is put after the number as it is.
        sign: whether it is a change.
    """
    fraction = unit in ("%", "points")
    decimals, scale = decimals_of(high - low, fraction), 100 if fraction else 1
    number, *ends = (typeset(scale * x, decimals, sign) for x in (value, low, high))
    return f"{number} {unit}".rstrip() + f" [{', '.join(ends)}]"


def estimate(line: "Line", name: str, unit: str = "%") -> str:
    """A column of a line and its interval, as in `89 % [86, 92]`.

    Args:
        line: has `name`, `name_low` and `name_high`.
        name: the column.
        unit: see `amount`.
    """
    value, low, high = (float(line[f"{name}{end}"]) for end in ("", "_low", "_high"))
    return amount(value, low, high, unit)


def signed(line: "Line", name: str, unit: str = "points") -> str:
    """A change and its interval, as in `−16.8 points [−20.2, −13.4]`; see `estimate`."""
    value, low, high = (float(line[f"{name}{end}"]) for end in ("", "_low", "_high"))
    return amount(value, low, high, unit, sign=True)


def percent(value: float, n: int = MANY) -> str:
    """A fraction without an interval, in per cent: one decimal near 0 and 100, none between.

    Args:
        value: the fraction.
        n: how many it is of; of few there are no tenths.
    """
    far = 0.1 <= value <= 0.9 or value in (0, 1) or n < MANY
    return f"{typeset(100 * value, 0 if far else 1)} %"


def interval_text(value: float, low: float, high: float, percent: bool = True) -> str:
    """An estimate and its interval as files have them: `93.1 [91.0, 94.8]`, in per cent or not."""
    if percent:
        return f"{100 * value:.1f} [{100 * low:.1f}, {100 * high:.1f}]"
    return f"{value:.3g} [{low:.3g}, {high:.3g}]"

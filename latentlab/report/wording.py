"""Numbers as the page writes them: a true minus, one number of digits, an interval beside each.

A signed number is always a change, after minus before, in points of accuracy: below 0 is worse.
"""

from collections.abc import Mapping
from typing import Any

from latentlab.console import MISSING, typeset

Line = Mapping[str, Any] | Any
"""A line of a summary: `name`, `name_low` and `name_high`."""

ENDS = ("", "_low", "_high")


def number(value: float, digits: int = 1, sign: bool = False) -> str:
    """A number as on the screen, with separators of thousands."""
    return typeset(value, digits, sign, thousands=True)


def interval(
    line: Line, name: str, factor: float = 1.0, digits: int = 1, sign: bool = False
) -> str:
    """A column of a line with its interval, as in `−86.0 [−89.0, −82.8]`; a dash where missing."""
    value, low, high = (factor * float(line.get(f"{name}{end}", "nan")) for end in ENDS)
    if value != value:
        return MISSING
    middle = number(value, digits, sign)
    if low != low or high != high:
        return middle
    return f"{middle} [{number(low, digits, sign)}, {number(high, digits, sign)}]"


def share(line: Line, name: str = "accuracy") -> str:
    """A fraction in per cent with its interval, as in `89.4 % [86.4, 91.8]`."""
    return interval(line, name, 100).replace(" [", " % [")


def change(line: Line, name: str = "delta") -> str:
    """A change in points with its interval, as in `−0.2 points [−2.0, 1.6]`."""
    return interval(line, name, 100, sign=True).replace(" [", " points [")

"""How the effect of an arm on accuracy is written, and what may be said of it."""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd

    Line = pd.Series[float]

Verdict = Literal["harm", "gain", "no harm", "cannot tell"]

MARGIN = 0.05
"""A loss of accuracy that a sentence about "no harm" has to be able to exclude."""


def verdict(line: "Line") -> Verdict:
    """What the interval of a difference allows to say."""
    if line["delta_high"] < 0:
        return "harm"
    if line["delta_low"] > 0:
        return "gain"
    # Where nothing changed the interval has no width; 3 / n bounds what was not seen.
    furthest = max(-line["delta_low"], line["delta_high"], 3 / line["n"])
    return "no harm" if furthest < MARGIN else "cannot tell"


def points(value: float) -> str:
    """A fraction in points; adding 0 turns -0.0 into 0."""
    return f"{100 * value + 0:.1f}"


def size(line: "Line") -> str:
    """A loss or gain without its sign."""
    return points(abs(line["delta"]))


def interval(line: "Line") -> str:
    """The interval of a loss or gain, as positive numbers."""
    low, high = sorted(abs(line[name]) for name in ("delta_low", "delta_high"))
    return f"[{points(low)}, {points(high)}]"


def numbers(line: "Line") -> str:
    """A difference as it is, with its sign."""
    low, high = points(line["delta_low"]), points(line["delta_high"])
    return f"{points(line['delta'])} [{low}, {high}]"


def lost(line: "Line") -> str:
    """A difference as a loss, which is negative where something is gained."""
    low, high = points(-line["delta_high"]), points(-line["delta_low"])
    return f"{points(-line['delta'])} [{low}, {high}]"


def smallest(*lines: "Line") -> str:
    """The smallest effect that could have been told on each of some lines, where it is known."""
    known = [line["delta_smallest"] for line in lines if line.get("delta_smallest", 0) > 0]
    return f"the smallest that could be told: {points(max(known))}" if known else ""

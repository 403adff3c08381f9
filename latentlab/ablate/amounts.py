"""How the effect of an arm on accuracy is written, and what may be said of it."""

from typing import TYPE_CHECKING

from latentlab.measures.statistics import Interval, Verdict, judge

if TYPE_CHECKING:
    import pandas as pd

    Line = pd.Series[float]


def verdict(line: "Line") -> Verdict:
    """What the interval of a difference allows to say."""
    mean, low, high = (float(line[name]) for name in ("delta", "delta_low", "delta_high"))
    return judge(Interval(mean, low, high, int(line["n"])))


def points(value: float) -> str:
    """A fraction in points; adding 0 turns -0.0 into 0."""
    return f"{100 * value + 0:.1f}"


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

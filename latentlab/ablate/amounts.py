"""How the effect of an arm on accuracy is written, and what may be said of it."""

from typing import TYPE_CHECKING

import pandas as pd

from latentlab.console import percent, typeset
from latentlab.measures.statistics import Interval, Verdict, judge

if TYPE_CHECKING:
    Line = pd.Series[float]


def verdict(line: "Line") -> Verdict:
    """What the interval of a difference allows to say."""
    mean, low, high = (float(line[name]) for name in ("delta", "delta_low", "delta_high"))
    return judge(Interval(mean, low, high, int(line["n"])))


def right(line: "Line") -> str:
    """How many answers are right, in per cent; of few questions no tenths."""
    return percent(float(line["accuracy"]), int(line["n"]))


def points(value: float) -> str:
    """The size of an effect in points, without a sign."""
    size = abs(100 * value)
    return f"{typeset(size, 0 if size >= 10 else 1)} points"


def smallest(*lines: "Line") -> str:
    """The smallest effect that would have shown on each of some lines; empty where not known."""
    known = [float(line["delta_smallest"]) for line in lines if line.get("delta_smallest", 0) > 0]
    return f"more than {points(max(known))} would have shown" if known else ""

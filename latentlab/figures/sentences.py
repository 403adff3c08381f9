"""Words that the findings of captions are put together from; their numbers come from the data."""

from typing import Any

import pandas as pd

from latentlab.figures.cells import with_interval
from latentlab.wording import joined


def told(line: "pd.Series[Any]", value: str, unit: str = "%", signed: bool = False) -> str:
    """An estimate with its unit and interval, as in `89 % [86, 92]` or `+0.52 nats [0.5, 0.6]`.

    Args:
        line: has the column `value` and its ends.
        value: the column.
        unit: `%` and `points` are of fractions; others are written as they are, with two decimals.
        signed: whether it is a change.
    """
    scale, decimals = (100, 0) if unit in ("%", "points") else (1, 2)
    centre, low, high = (scale * float(line[f"{value}{end}"]) for end in ("", "_low", "_high"))
    text, _, interval = with_interval(centre, low, high, decimals, signed).partition(" ")
    return f"{text} {unit} {interval}".rstrip()


def of_models(lines: pd.DataFrame, value: str, unit: str = "%", signed: bool = False) -> str:
    """An estimate for each model, as in `89 % [86, 92] (ivtlr) and 92 % [90, 94] (relay)`.

    Args:
        lines: one line for each model, with the column `value` and its ends.
        value: the column.
        unit: see `told`.
        signed: whether it is a change.
    """
    each = (line for _, line in lines.iterrows())
    return joined([f"{told(line, value, unit, signed)} ({line['model']})" for line in each])

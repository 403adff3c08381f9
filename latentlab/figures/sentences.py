"""Words that the findings of captions are put together from; their numbers come from the data."""

from collections.abc import Sequence

import pandas as pd

from latentlab.console.numbers import estimate, signed


def listed(items: Sequence[str]) -> str:
    """Several things in one sentence: `a, b and c`."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def of_models(lines: pd.DataFrame, value: str, unit: str = "%", change: bool = False) -> str:
    """An estimate for each model, as in `89 % [86, 92] (ivtlr) and 92 % [90, 94] (relay)`.

    Args:
        lines: one line for each model, with the column `value` and its ends.
        value: the column.
        unit: see `console.numbers.estimate`.
        change: whether it is a change, which has its sign.
    """
    write = signed if change else estimate
    return listed([f"{write(line, value, unit)} ({line['model']})" for _, line in lines.iterrows()])

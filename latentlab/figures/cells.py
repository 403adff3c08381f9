"""Numbers as the cells of a table show them.

A column has one number of decimals. A change is after minus before and carries its sign, also where
it is a rise; the minus is a true one.
"""

from collections.abc import Collection, Mapping

import pandas as pd

from latentlab.console import MISSING, typeset

DECIMALS = 2
"""Decimals of a column that is told nothing else and is no fraction."""


def with_interval(
    value: float, low: float, high: float, decimals: int = 1, signed: bool = False
) -> str:
    """An estimate and its interval, as in `93.1 [91.0, 94.8]`; alone where an end is missing."""
    text = typeset(value, decimals, signed)
    if pd.isna(low) or pd.isna(high):
        return text
    ends = (typeset(end, decimals, signed) for end in (low, high))
    return f"{text} [{', '.join(ends)}]"


def printed(
    lines: pd.DataFrame,
    columns: Mapping[str, str],
    percent: Collection[str] = (),
    changes: Collection[str] = (),
    decimals: Mapping[str, int] | None = None,
    bare: Collection[str] = (),
) -> pd.DataFrame:
    """Turn lines of a summary into the cells of a table.

    Args:
        lines: a column `x` with siblings `x_low` and `x_high` is printed with its interval.
        columns: columns of `lines` in order, and their headings; names of p-values begin with `p_`.
        percent: columns that hold fractions and are printed in per cent or points.
        changes: columns that hold changes and are printed with their sign.
        decimals: digits behind the point of a column; 1 for fractions, else `DECIMALS`.
        bare: columns that are printed without their intervals.

    Raises:
        KeyError: a column is not there.
    """
    cells = {}
    for name, heading in columns.items():
        digits = (decimals or {}).get(name, 1 if name in percent else DECIMALS)
        scale = 100 if name in percent else 1
        ends = [None if name in bare else lines.get(f"{name}_{end}") for end in ("low", "high")]
        column = []
        for i, value in enumerate(lines[name]):
            if value is None or value is pd.NA or value != value:
                column.append(MISSING)
            elif not isinstance(value, float):
                column.append(str(value))
            elif name.startswith("p_"):
                column.append("<0.001" if value < 0.001 else f"{value:.3f}")
            else:
                low, high = (float("nan") if e is None else e.iloc[i] for e in ends)
                low, high = (float("nan") if pd.isna(e) else scale * float(e) for e in (low, high))
                column.append(with_interval(scale * value, low, high, digits, name in changes))
        cells[heading] = column
    return pd.DataFrame(cells)

"""Numbers as the cells of a table show them.

A column has one number of decimals. A change is after minus before and carries its sign, also where
it is a rise; the minus is a true one.
"""

from collections.abc import Collection, Mapping

import pandas as pd

MISSING = "–"
"""What a cell without a value reads."""

MINUS = "\N{MINUS SIGN}"

DECIMALS = 2
"""Decimals of a column that is told nothing else and is no fraction."""


def number(value: float, decimals: int = 1, signed: bool = False) -> str:
    """A number with a true minus; with a plus where it is a change and rises.

    Args:
        value: what to write.
        decimals: digits behind the point.
        signed: whether it is a change.
    """
    text = f"{value:.{decimals}f}"
    if float(text) == 0:  # -0.0 is none
        return f"{0:.{decimals}f}"
    if value < 0:
        return MINUS + text.removeprefix("-")
    return f"+{text}" if signed else text


def with_interval(
    value: float, low: float, high: float, decimals: int = 1, signed: bool = False
) -> str:
    """An estimate and its interval, as in `93.1 [91.0, 94.8]`; alone where an end is missing."""
    text = number(value, decimals, signed)
    if pd.isna(low) or pd.isna(high):
        return text
    ends = (number(end, decimals, signed) for end in (low, high))
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

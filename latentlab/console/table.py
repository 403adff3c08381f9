"""Tables on standard output: each estimate next to its interval, as wide as the screen allows."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from latentlab.console import streams
from latentlab.console.layout import NARROW, Block, Column, laid_out
from latentlab.console.numbers import MANY, decimals_of, typeset
from latentlab.console.streams import wrapped, writable

if TYPE_CHECKING:
    import pandas as pd

_DIGITS = 3
"""Digits of the largest number in a column without intervals."""

MISSING = "–"
"""Stands where there is no number."""


def table(
    frame: "pd.DataFrame",
    columns: Sequence[str] | Mapping[str, str],
    title: str,
    percent: Sequence[str] = ("accuracy", "delta"),
    changes: Sequence[str] = ("delta", "log_odds_change"),
    spare: Sequence[str] = (),
    keys: int = 1,
    source: str = "summary.csv",
    narrow: int = NARROW,
) -> None:
    """Put a table on standard output.

    A pipe gets it at full width. On a screen that is too narrow `spare` columns are left out, which
    a line below says; `--wide` keeps them, in parts one under the other.

    Args:
        frame: One row per line. A column `x` with siblings `x_low` and `x_high` is shown with
            its interval, as in `93.1 [91.0, 94.8]`.
        columns: Columns of `frame` in the order they are shown; a mapping also gives the headings.
        title: What the table tells, and under which conditions.
        percent: Columns that hold fractions and are shown in per cent.
        changes: Columns that hold changes, after minus before, and are shown with their sign.
        spare: Columns that a narrow screen can do without, the first to go first.
        keys: How many of the first columns say what a line is about.
        source: Where the columns are that are left out.
        narrow: Width down to which words may be folded before a table is set in several.

    Raises:
        KeyError: A column is not in `frame`.
    """
    headings = columns if isinstance(columns, Mapping) else {name: name for name in columns}
    made = [
        _column(frame, name, heading, name in percent, name in changes, narrow)
        for name, heading in headings.items()
    ]
    screen = streams.results
    wide = streams.is_wide()
    blocks, gone = laid_out(made, screen.width, () if wide else spare, keys)
    streams.results.print(
        Text("\n".join(wrapped(writable(title, screen), screen.width)), style="bold"),
        soft_wrap=True,
    )
    for block in blocks:
        screen.print(_drawn(block))
    if gone:
        names = ", ".join(column.heading for column in made if column in gone)
        streams.aside(f"Left out at {screen.width} columns: {names}; see --wide or {source}.")
    screen.print()


def _column(
    frame: "pd.DataFrame", name: str, heading: str, percent: bool, change: bool, narrow: int
) -> Column:
    """A column as text; numbers of one column have one number of digits."""
    values = frame[name]
    numeric = values.dtype.kind in "fiu" or f"{name}_low" in frame
    rows = frame.to_dict("records")
    few = "n" in frame and frame["n"].dtype.kind in "iuf" and frame["n"].max() < MANY
    decimals = (0 if few else 1) if percent else _decimals(frame, name)
    cells = tuple(_cell(row, name, percent, change, decimals) for row in rows)
    screen = streams.results
    return Column(
        name,
        writable(heading, screen),
        tuple(writable(cell, screen) for cell in cells),
        numeric,
        narrow,
    )


def _decimals(frame: "pd.DataFrame", name: str) -> int | None:
    """Digits that all numbers of a column have; None where they are of too different sizes."""
    if frame[name].dtype.kind != "f":
        return None
    if f"{name}_low" in frame and f"{name}_high" in frame:
        widths = (frame[f"{name}_high"] - frame[f"{name}_low"]).astype(float)
        widths = widths[widths > 0]
        return decimals_of(float(widths.median()), percent=False) if len(widths) else 2
    sizes = frame[name].abs()
    sizes = sizes[sizes > 0]
    if sizes.empty or not math.isfinite(sizes.max()):
        return None
    decimals = max(_DIGITS - 1 - math.floor(math.log10(sizes.max())), 0)
    return decimals if sizes.min() >= 10.0**-decimals else None


def _cell(
    row: Mapping[object, object], name: str, percent: bool, change: bool, decimals: int | None
) -> str:
    """One cell as text; intervals, probabilities and missing values have a form of their own."""
    value = row[name]
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    if not isinstance(value, float):
        return str(value)
    if name.startswith("p_"):
        return "<0.001" if value < 0.001 else f"{value:.3f}"
    scale = 100 if percent else 1
    if decimals is None:
        return f"{value:+.3g}".replace("-", "−") if change else f"{value:.3g}".replace("-", "−")
    text = typeset(scale * value, decimals, change)
    ends = [row.get(f"{name}{end}") for end in ("_low", "_high")]
    known = [end for end in ends if isinstance(end, float) and not math.isnan(end)]
    if len(known) < 2:
        return text
    return f"{text} [{', '.join(typeset(scale * end, decimals, change) for end in known)}]"


def _drawn(block: Block) -> Table:
    """A part of a table as rich draws it; numbers begin where a label does, under what heads it."""
    drawn = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    pairs = list(zip(block.columns, block.widths, strict=True))
    headings = [wrapped(column.heading, width) for column, width in pairs]
    highest = max(map(len, headings))
    for (column, width), lines in zip(pairs, headings, strict=True):
        drawn.add_column(
            Text("\n".join([""] * (highest - len(lines)) + lines)),
            justify="right" if column.numeric else "left",
            width=width,
            no_wrap=True,
        )
    for cells in zip(*(column.cells for column in block.columns), strict=True):
        texts = [
            [cell] if column.numeric else wrapped(cell, width, inner=2)
            for cell, (column, width) in zip(cells, pairs, strict=True)
        ]
        heading, cut, _ = cells[0].rpartition("\n")
        above = [""] * (len(wrapped(heading, block.widths[0], inner=2)) if cut else 0)
        shown = [
            [*above, *lines] if column.numeric else lines
            for lines, column in zip(texts, block.columns, strict=True)
        ]
        drawn.add_row(*(Text("\n".join(lines)) for lines in shown))
    return drawn

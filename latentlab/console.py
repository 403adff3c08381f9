"""Everything a person reads on the screen: results, remarks, tables and progress.

Results go to standard output and nothing else does, so that a table can be piped into a file;
progress, remarks and errors go to standard error. No other module of the library writes to a
stream.
"""

import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    import pandas as pd

    Line = Mapping[Any, Any] | pd.Series[Any]

T = TypeVar("T")

# A pipe has no width of its own, and a table folded at 80 columns is hard to read in a log.
_PIPE_WIDTH = 160
_MISSING = "–"

results = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
remarks = Console(stderr=True, highlight=False)


def hush(quiet: bool) -> None:
    """Show nothing, until told otherwise: of several processes only one speaks."""
    results.quiet = remarks.quiet = quiet


def show(text: str) -> None:
    """Put one line of results on standard output, unfolded."""
    results.print(Text(text), soft_wrap=True)


def note(text: str) -> None:
    """Tell what is going on, on standard error."""
    remarks.print(Text(text), soft_wrap=True)


def warn(text: str) -> None:
    """Tell what the reader of the results should be wary of, on standard error."""
    remarks.print(Text.assemble(("warning: ", "yellow"), text), soft_wrap=True)


def fail(text: str) -> None:
    """Tell why the command stops, on standard error, in exactly one line."""
    remarks.print(Text.assemble(("error: ", "bold red"), text), soft_wrap=True)


def track(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Hand on `items` one by one under a progress bar.

    Args:
        items: What is worked through.
        description: What is being done, in a few words.
        total: How many items there are, where `len(items)` does not tell.

    Yields:
        The items unchanged. Where standard error is not a terminal no bar is drawn, so that a log
        holds no thousands of lines of it.
    """
    if not remarks.is_terminal:
        yield from items
        return
    from rich.progress import track as bar  # costs start-up time that `--help` has no use for

    yield from bar(items, description, total, console=remarks, transient=True)


def table(
    frame: "pd.DataFrame",
    columns: Sequence[str] | Mapping[str, str],
    title: str,
    percent: Sequence[str] = ("accuracy", "delta"),
) -> None:
    """Put a table on standard output, each estimate next to its interval.

    Args:
        frame: One row per line. A column `x` with siblings `x_low` and `x_high` is shown with
            its interval, as in `93.1 [91.0, 94.8]`.
        columns: Columns of `frame` in the order they are shown; a mapping also gives the headings.
        title: What the table tells, and under which conditions.
        percent: Columns that hold fractions and are shown in per cent.

    Raises:
        KeyError: A column is not in `frame`.
    """
    headings = columns if isinstance(columns, Mapping) else {name: name for name in columns}
    drawn = Table(title=title, title_justify="left", title_style="bold")
    for name, heading in headings.items():
        numeric = frame[name].dtype.kind in "fiu"
        drawn.add_column(heading, justify="right" if numeric else "left")
    for row in frame.to_dict("records"):
        drawn.add_row(*(Text(_cell(row, name, name in percent)) for name in headings))
    results.print(drawn)


def _cell(row: Mapping[object, object], name: str, percent: bool) -> str:
    """One cell as text; intervals, probabilities and missing values have a form of their own."""
    value = row[name]
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return _MISSING
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    ends = [end for end in (low, high) if isinstance(end, float) and not math.isnan(end)]
    if isinstance(value, float) and len(ends) == 2:
        return interval_text(value, ends[0], ends[1], percent)
    if isinstance(value, float) and name.startswith("p_"):
        return "<0.001" if value < 0.001 else f"{value:.3f}"
    if isinstance(value, float):
        return f"{100 * value:.1f}" if percent else f"{value:.3g}"
    return str(value)


def interval_text(value: float, low: float, high: float, percent: bool = True) -> str:
    """An estimate and its interval, as in `93.1 [91.0, 94.8]`, in per cent unless told not to."""
    if percent:
        return f"{100 * value:.1f} [{100 * low:.1f}, {100 * high:.1f}]"
    return f"{value:.3g} [{low:.3g}, {high:.3g}]"


def estimate(line: "Line", name: str, unit: str = "%") -> str:
    """A column of a line and its interval, as in `93.1 % [91.0, 94.8]`.

    Args:
        line: has `name`, `name_low` and `name_high`.
        name: the column.
        unit: `%` and `points` are of fractions; anything else is put after the number as it is.
    """
    value, low, high = (float(line[f"{name}{end}"]) for end in ("", "_low", "_high"))
    text = interval_text(value, low, high, unit in ("%", "points"))
    return text.replace(" ", f" {unit} ", 1) if unit else text

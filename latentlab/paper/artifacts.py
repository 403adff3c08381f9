"""What a table or figure is on disk: the thing to look at, and the numbers it shows.

A figure is a PDF, a PNG and a CSV of exactly the numbers that were drawn; a table is CSV, Markdown
and LaTeX (booktabs) made of the same cells. Captions are kept beside them, since nothing is written
into the picture that belongs under it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from latentlab.console import interval_text
from latentlab.paper.style import RC

MISSING = "–"
"""What a cell without a value reads."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """A figure, and the numbers it was drawn from."""

    figure: Figure
    """What to look at."""

    data: pd.DataFrame
    """Exactly the numbers drawn, one line for each mark."""

    caption: str
    """What is shown, of what, with n and what the intervals are."""


@dataclass(frozen=True, eq=False)
class Table:
    """A table of text, and the numbers behind it."""

    cells: pd.DataFrame
    """What is printed: text only, columns named as their headings."""

    data: pd.DataFrame
    """The numbers, unrounded, line for line those of the cells."""

    caption: str
    """What is shown, of what, with n and what the intervals are."""


def printed(
    lines: pd.DataFrame, columns: Mapping[str, str], percent: tuple[str, ...]
) -> pd.DataFrame:
    """Turn lines of a summary into the cells of a table.

    Args:
        lines: a column `x` with siblings `x_low` and `x_high` is printed with its interval.
        columns: columns of `lines` in order, and their headings.
        percent: columns that hold fractions and are printed in per cent.

    Raises:
        KeyError: a column is not there.
    """
    cells = {}
    for name, heading in columns.items():
        ends = [lines.get(f"{name}_{end}") for end in ("low", "high")]
        column = []
        for i, value in enumerate(lines[name]):
            low, high = (None if end is None else end.iloc[i] for end in ends)
            column.append(_cell(value, low, high, name in percent))
        cells[heading] = column
    return pd.DataFrame(cells)


def _cell(value: object, low: object, high: object, percent: bool) -> str:
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return MISSING
    if not isinstance(value, float):
        return str(value)
    if isinstance(low, float) and isinstance(high, float) and not (pd.isna(low) or pd.isna(high)):
        return interval_text(value, low, high, percent)
    return f"{100 * value:.1f}" if percent else f"{value:.3g}"


def write(made: Drawing | Table, name: str, folder: Path) -> list[Path]:
    """Write a figure or a table with its numbers; returns the files.

    Args:
        made: what to write.
        name: stem of the files.
        folder: where; made where it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    numbers = folder / f"{name}.csv"
    made.data.to_csv(numbers, index=False)
    if isinstance(made, Drawing):
        pictures = [folder / f"{name}{suffix}" for suffix in (".pdf", ".png")]
        with plt.rc_context(RC):
            for path in pictures:
                # A file that differs by its date alone would look like a change.
                dates = {"CreationDate": None} if path.suffix == ".pdf" else {"Software": None}
                made.figure.savefig(path, metadata=dates)
        plt.close(made.figure)
        return [*pictures, numbers]
    texts = {".md": markdown(made.cells), ".tex": latex(made.cells, made.caption, name)}
    for suffix, text in texts.items():
        (folder / f"{name}{suffix}").write_text(text, encoding="utf-8")
    return [numbers, *(folder / f"{name}{suffix}" for suffix in texts)]


def markdown(cells: pd.DataFrame) -> str:
    """A table as Markdown."""

    def line(values: list[str]) -> str:
        return "| " + " | ".join(value.replace("|", "\\|") for value in values) + " |\n"

    rows = [[str(value) for value in row] for row in cells.to_numpy().tolist()]
    head = [str(name) for name in cells.columns]
    return line(head) + line(["---"] * len(head)) + "".join(map(line, rows))


def latex(cells: pd.DataFrame, caption: str, label: str) -> str:
    """A table as LaTeX; needs the package booktabs."""
    text = cells.to_latex(
        index=False,
        escape=True,
        caption=caption.replace("%", "\\%").replace("_", "\\_").replace("&", "\\&"),
        label=f"tab:{label}",
        position="t",
        column_format="l" + "r" * (cells.shape[1] - 1),
    )
    return str(text)

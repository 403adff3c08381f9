"""What a table or figure is on disk: the thing to look at, and the numbers it shows.

A figure is a PDF, a PNG and a CSV of exactly the numbers that were drawn; a table is CSV, Markdown
and LaTeX (booktabs) made of the same cells. Captions are kept beside them as text, since nothing is
written into the picture that belongs under it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from latentlab.console import interval_text
from latentlab.figures.style import RC
from latentlab.files import replacing, write_text

MISSING = "–"
"""What a cell without a value reads."""

PUBLISHED = "Published, of another model and other data: not to be compared cell by cell."
"""What stands above numbers that are not ours."""

_NARROW = 5  # columns that a table in one column of a paper may have

_TEX = str.maketrans(
    {character: f"\\{character}" for character in "%_&#${}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
)


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

    published: pd.DataFrame | None = None
    """Published numbers to read beside, as text: they get a block of their own."""


def printed(
    lines: pd.DataFrame, columns: Mapping[str, str], percent: tuple[str, ...]
) -> pd.DataFrame:
    """Turn lines of a summary into the cells of a table.

    Args:
        lines: a column `x` with siblings `x_low` and `x_high` is printed with its interval.
        columns: columns of `lines` in order, and their headings; names of p-values begin with `p_`.
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
            column.append(_cell(name, value, low, high, name in percent))
        cells[heading] = column
    return pd.DataFrame(cells)


def _cell(name: str, value: object, low: object, high: object, percent: bool) -> str:
    if value is None or value is pd.NA or value != value:
        return MISSING
    if not isinstance(value, float):
        return str(value)
    if isinstance(low, float) and isinstance(high, float) and not (pd.isna(low) or pd.isna(high)):
        return interval_text(value, low, high, percent)
    if name.startswith("p_"):
        return "<0.001" if value < 0.001 else f"{value:.3f}"
    return f"{100 * value:.1f}" if percent else f"{value:.3g}"


def write(made: Drawing | Table, name: str, folder: Path) -> list[Path]:
    """Write a figure or a table with its numbers; returns the files.

    Args:
        made: what to write.
        name: stem of the files.
        folder: where; made where it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    numbers, caption = folder / f"{name}.csv", folder / f"{name}.txt"
    with replacing(numbers) as fresh:
        made.data.to_csv(fresh, index=False)
    write_text(caption, made.caption + "\n")
    if isinstance(made, Drawing):
        pictures = [folder / f"{name}{suffix}" for suffix in (".pdf", ".png")]
        with plt.rc_context(RC):
            for path in pictures:
                # A file that differs by its date alone would look like a change.
                dates = {"CreationDate": None} if path.suffix == ".pdf" else {"Software": None}
                with replacing(path) as fresh:
                    made.figure.savefig(fresh, format=path.suffix[1:], metadata=dates)
        plt.close(made.figure)
        return [*pictures, numbers, caption]
    texts = {".md": markdown(made), ".tex": latex(made, name)}
    for suffix, text in texts.items():
        write_text(folder / f"{name}{suffix}", text)
    return [*(folder / f"{name}{suffix}" for suffix in texts), numbers, caption]


def markdown(table: Table) -> str:
    """A table as Markdown, with the block of published numbers below it."""
    text = _grid(table.cells)
    if table.published is not None:
        text += f"\n{PUBLISHED}\n\n{_grid(table.published)}"
    return text


def _grid(cells: pd.DataFrame) -> str:
    """Cells as a grid of Markdown."""

    def line(values: list[str]) -> str:
        return "| " + " | ".join(value.replace("|", "\\|") for value in values) + " |\n"

    rows = [[str(value) for value in row] for row in cells.to_numpy().tolist()]
    head = [str(name) for name in cells.columns]
    return line(head) + line(["---"] * len(head)) + "".join(map(line, rows))


def latex(table: Table, label: str) -> str:
    """A table as LaTeX, over both columns of the page where it is wide.

    Needs the packages booktabs and adjustbox.

    Args:
        table: the table.
        label: name to refer to it by, after `tab:`.
    """
    kind = "table" if table.cells.shape[1] <= _NARROW else "table*"
    lines = [
        f"\\begin{{{kind}}}[t]",
        "\\centering\\small",
        f"\\caption{{{table.caption.translate(_TEX)}}}",
        f"\\label{{tab:{label}}}",
        _tabular(table.cells),
    ]
    if table.published is not None:
        lines += ["\\medskip", "", PUBLISHED, "", "\\smallskip", _tabular(table.published)]
    return "\n".join([*lines, f"\\end{{{kind}}}", ""])


def _tabular(cells: pd.DataFrame) -> str:
    words = [cells[name].astype(str).str.contains("^[A-Za-z]").any() for name in cells.columns]
    layout = "".join("l" if any_words else "r" for any_words in words)
    text = str(cells.to_latex(index=False, escape=True, column_format=layout)).rstrip()
    text = text.replace("<", "$<$")  # in text mode some fonts have another sign there
    return f"\\begin{{adjustbox}}{{max width=\\linewidth}}\n{text}\n\\end{{adjustbox}}"

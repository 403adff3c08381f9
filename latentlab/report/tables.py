"""Small tables of the page: cells of text, read off Markdown or made of results."""

import re
from dataclasses import dataclass

from latentlab.console import MISSING

_ESCAPED = re.compile(r"\\([\\|<&!\]`])")
_NUMBER = re.compile(r"[-–−<+]?\d|[-–−]?$")


@dataclass(frozen=True)
class TableGrid:
    """The cells of a table."""

    note: str
    """What stands above it, if anything."""

    head: tuple[str, ...]
    """Headings."""

    rows: tuple[tuple[str, ...], ...]
    """Lines of cells."""

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Which columns hold numbers, or nothing."""
        return tuple(
            all(_NUMBER.match(c) for c in column) for column in zip(*self.rows, strict=True)
        )


def grid(rows: list[dict[str, str]], note: str = "") -> TableGrid | None:
    """A table of rows by heading, without columns that hold nothing; None where nothing is left."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    names = [n for n in names if any(row.get(n, MISSING) != MISSING for row in rows)]
    if not names:
        return None
    cells = tuple(tuple(row.get(name, MISSING) for name in names) for row in rows)
    return TableGrid(note, tuple(names), cells)


def grids_of(markdown: str) -> list[TableGrid]:
    """The tables in a Markdown text, each with the paragraph above it."""
    grids, note = [], ""
    for block in re.split(r"\n\s*\n", markdown.strip()):
        if not block.startswith("|"):
            note = block
            continue
        head, _, *rows = (_cells(line) for line in block.splitlines())
        grids.append(TableGrid(note, head, tuple(rows)))
        note = ""
    return grids


def _cells(line: str) -> tuple[str, ...]:
    """The cells of one line of a Markdown table, in which a bar inside of a cell is escaped."""
    inside = line.strip().removeprefix("|").removesuffix("|")
    return tuple(_ESCAPED.sub(r"\1", cell.strip()) for cell in re.split(r"(?<!\\)\|", inside))

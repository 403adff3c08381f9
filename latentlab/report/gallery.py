"""The tables and figures that `latentlab.figures` left in a folder, with their captions.

Order and titles are those of its index page; pictures, tables and captions are the files beside it.
"""

import io
import re
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from latentlab.figures.config import INDEX
from latentlab.notebook import data_uri

SHRUNK = 0.6
"""Pixels on the page for each of a figure: its letters are then as large as those around it."""

_NUMBER = re.compile(r"[-–<+]?\d|[-–]?$")


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


@dataclass(frozen=True)
class Exhibit:
    """One table or figure."""

    name: str
    """Its experiment, which is also the stem of its files."""

    title: str
    """What it shows, in one line."""

    caption: str
    """What is shown, of what, with n and what the intervals are."""

    picture: str = ""
    """The figure as a data URI; empty for a table."""

    size: tuple[int, int] = (0, 0)
    """Width and height at which the figure is shown."""

    grids: tuple[TableGrid, ...] = ()
    """What a table prints."""


def read_gallery(folder: Path) -> list[Exhibit]:
    """Read all tables and figures of a folder in the order of its index; none where there is none.

    What the index names and the folder does not hold is left out.
    """
    index = folder / INDEX
    if not index.is_file():
        return []
    listed = re.findall(r"^## (.+)\n\n(.+)$", index.read_text(encoding="utf-8"), re.MULTILINE)
    found = []
    for heading, title in listed:
        name = heading.strip().replace(" ", "_")
        picture, table, text = (folder / f"{name}{end}" for end in (".png", ".md", ".txt"))
        caption = " ".join(text.read_text(encoding="utf-8").split()) if text.is_file() else ""
        if picture.is_file():
            found.append(Exhibit(name, title, caption, *_figure(picture)))
        elif table.is_file():
            grids = tuple(_grids(table.read_text(encoding="utf-8")))
            found.append(Exhibit(name, title, caption, grids=grids))
    return found


def _figure(path: Path) -> tuple[str, tuple[int, int]]:
    """A figure as a data URI, and its size on the page."""
    content = path.read_bytes()
    with Image.open(io.BytesIO(content)) as image:
        width, height = (round(SHRUNK * side) for side in image.size)
    return data_uri(content, "image/png"), (width, height)


def _grids(markdown: str) -> list[TableGrid]:
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
    return tuple(cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inside))

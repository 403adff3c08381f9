"""The tables and figures that `latentlab.figures` left in a folder, with their captions.

Order, titles and part are those of its list; drawings, tables and captions are the files beside it.
Drawings become parts of the page; one without a drawing of its own is shown as a picture.
"""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from markupsafe import Markup
from PIL import Image

from latentlab.errors import UserError
from latentlab.figures.config import INDEX
from latentlab.notebook import data_uri
from latentlab.report.inline import inline_svg, width_of
from latentlab.report.tables import TableGrid, grids_of

LIST = "index.json"
"""The list of what is in the folder."""

MOST_BYTES = 250_000
"""A drawing that is larger as a part of the page is shown as a picture, which is smaller then."""

MOST_LINES = 8
"""Lines of a table that is shown unfolded."""

PIXELS = 125
"""Pixels on the page for each inch in print: letters are then as large as those around them."""

MAIN, APPENDIX = "main", "appendix"
"""Parts of a paper."""

_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


@dataclass(frozen=True)
class Exhibit:
    """One table or figure."""

    name: str
    """Its experiment, which is also the stem of its files."""

    title: str
    """What it shows, in one line."""

    finding: str = ""
    """What it found, in one sentence."""

    caption: str = ""
    """What is drawn, with n and what the intervals are."""

    part: str = MAIN
    """Whether it stands with its question or in the appendix."""

    drawing: Markup | None = None
    """The figure as an element of the page; None where it is none."""

    picture: str = ""
    """The figure as a data URI, where it is no element."""

    size: tuple[int, int] = (0, 0)
    """Width and height of a picture on the page; of a drawing the width alone."""

    grids: tuple[TableGrid, ...] = ()
    """What a table prints."""

    @property
    def drawn(self) -> bool:
        """Whether it is a figure."""
        return bool(self.drawing or self.picture)

    @property
    def long(self) -> int:
        """Lines of a table that is folded away; 0 where it is short."""
        lines = sum(len(grid.rows) for grid in self.grids)
        return lines if lines > MOST_LINES else 0


def read_gallery(folder: Path) -> list[Exhibit]:
    """Read all tables and figures of a folder in the order of its list; none where there is none.

    What the list names and the folder does not hold is left out.

    Raises:
        UserError: the list or a drawing is damaged.
    """
    found = []
    for entry in _listed(folder):
        name, exhibit = str(entry["name"]), Exhibit(str(entry["name"]), str(entry["title"]))
        exhibit = replace(exhibit, part=str(entry.get("part", MAIN)), **_caption(folder, name))
        table = folder / f"{name}.md"
        if figure := _figure(folder, name, exhibit.title, float(entry.get("width_in") or 0)):
            found.append(replace(exhibit, **figure))
        elif table.is_file():
            grids = tuple(grids_of(table.read_text(encoding="utf-8")))
            found.append(replace(exhibit, grids=grids))
    return found


def _listed(folder: Path) -> Iterator[dict[str, Any]]:
    """What the list of a folder names; without one what its index page names, then the rest."""
    if (folder / LIST).is_file():
        try:
            listed: list[dict[str, Any]] = json.loads((folder / LIST).read_text(encoding="utf-8"))
            yield from (
                {**entry, "name": entry["name"], "title": entry["title"]} for entry in listed
            )
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{folder / LIST} is damaged: run python -m latentlab.figures again"
            ) from error
        return
    titles = {}
    if (folder / INDEX).is_file():
        text = (folder / INDEX).read_text(encoding="utf-8")
        pairs = re.findall(r"^## (.+)\n\n(.+)$", text, re.MULTILINE)
        titles = {name.strip().replace(" ", "_"): title for name, title in pairs}
    for path in sorted(folder.glob("*.txt")):
        titles.setdefault(path.stem, path.stem.replace("_", " ").capitalize())
    yield from ({"name": name, "title": title} for name, title in titles.items())


def _caption(folder: Path, name: str) -> dict[str, Any]:
    """The finding of a caption, its first paragraph; and the rest."""
    path = folder / f"{name}.txt"
    if not path.is_file():
        return {}
    first, _, rest = path.read_text(encoding="utf-8").strip().partition("\n\n")
    if not rest:  # a caption in one piece: it opens with what is shown
        first, *sentences = _END.split(" ".join(first.split()))
        rest = " ".join(sentences)
    return {"finding": " ".join(first.split()), "caption": " ".join(rest.split())}


def _figure(folder: Path, name: str, title: str, inches: float) -> dict[str, Any]:
    """The drawing or the picture of a figure, and its size on the page; nothing of a table."""
    svg, png = folder / f"{name}.svg", folder / f"{name}.png"
    if svg.is_file():
        try:
            drawing = inline_svg(svg, f"{name}-", title)
        except SyntaxError as error:
            raise UserError(f"{svg} is damaged: run python -m latentlab.figures again") from error
        if len(drawing) <= MOST_BYTES or not png.is_file():
            return {"drawing": drawing, "size": (round(PIXELS * (inches or width_of(svg))), 0)}
    if not png.is_file():
        return {}
    content = png.read_bytes()
    with Image.open(io.BytesIO(content)) as image:
        width, height = image.size
    across = round(PIXELS * inches) if inches else round(0.6 * width)
    size = across, round(across * height / width)
    return {"picture": data_uri(content, "image/png"), "size": size}

"""What a table or figure is on disk: the thing to look at, and the numbers it shows.

A figure is a PDF, a PNG, an SVG and a CSV of the numbers that were drawn; a table is CSV,
Markdown and LaTeX made of the same cells. Captions are kept beside them as text, since nothing is
written into the picture that belongs under it. The same content gives the same bytes, and a file
appears whole or not at all.
"""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from latentlab.figures.style import RC
from latentlab.figures.typeset import latex, markdown, width_of
from latentlab.files import replacing

COLOURS_KEPT = 256
"""Colours of a PNG: lines and maps need no more, and a palette takes a third of the room."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """A figure, and the numbers it was drawn from."""

    figure: Figure
    """What to look at."""

    data: pd.DataFrame
    """The numbers drawn, unrounded, and those beside them of which the caption says so."""

    caption: str
    """Two paragraphs: what was found, with its numbers; and what is drawn, n and intervals."""

    @property
    def width(self) -> float:
        """Inches at which it is printed."""
        return float(self.figure.get_size_inches()[0])


@dataclass(frozen=True, eq=False)
class Table:
    """A table of text, and the numbers behind it."""

    cells: pd.DataFrame
    """What is printed: text only, columns named as their headings, which may have several lines."""

    data: pd.DataFrame
    """The numbers behind the cells, unrounded."""

    caption: str
    """Two paragraphs: what was found, with its numbers; and what is shown, n and intervals."""

    published: pd.DataFrame | None = None
    """Published numbers to read beside, as text: they get a block of their own. A column `cite`
    holds keys of published.bib and is not printed."""

    grouped: bool = False
    """Whether the first column names groups of lines."""

    @property
    def width(self) -> float:
        """Inches at which it is printed."""
        return width_of(self.cells)


def caption(finding: str, drawn: str) -> str:
    """A caption: what was found, in one sentence with numbers, and what is drawn."""
    return f"{finding}\n\n{drawn}"


def write(made: Drawing | Table, name: str, folder: Path) -> list[Path]:
    """Write a figure or a table with its numbers; returns the files.

    Args:
        made: what to write.
        name: stem of the files.
        folder: where; made where it is missing.
    """
    if isinstance(made, Drawing):
        with plt.rc_context(RC):
            contents = {suffix: draw(made.figure) for suffix, draw in PICTURES.items()}
        plt.close(made.figure)
    else:
        tex = latex(made.cells, made.caption, name, made.published, made.grouped)
        contents = {
            ".md": markdown(made.cells, made.published).encode(),
            ".tex": tex.encode(),
        }
    contents[".csv"] = made.data.to_csv(index=False, lineterminator="\n").encode()
    contents[".txt"] = f"{made.caption}\n".encode()
    folder.mkdir(parents=True, exist_ok=True)
    for suffix, content in contents.items():
        put(folder / f"{name}{suffix}", content)
    return [folder / f"{name}{suffix}" for suffix in contents]


def put(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    with replacing(path) as fresh:
        fresh.write_bytes(content)


def _pdf(figure: Figure) -> bytes:
    return _saved(figure, "pdf", metadata={"CreationDate": None})


def _svg(figure: Figure) -> bytes:
    text = _saved(figure, "svg", metadata={"Date": None}, transparent=True).decode()
    # Some clip paths are called after an address in memory, which is another one each time.
    names = dict.fromkeys(re.findall(r'<clipPath id="(\w+)"', text))
    for number, name in enumerate(names):
        text = text.replace(f'"{name}"', f'"clip{number}"').replace(f"#{name})", f"#clip{number})")
    return text.encode()


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO(_saved(figure, "png", metadata={"Software": None}))
    with Image.open(stream) as image:
        small = image.convert("RGB").quantize(COLOURS_KEPT, dither=Image.Dither.NONE)
    out = io.BytesIO()
    small.save(out, "png", optimize=True, dpi=(RC["savefig.dpi"], RC["savefig.dpi"]))
    return out.getvalue()


def _saved(figure: Figure, kind: str, **settings: Any) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format=kind, **settings)
    return stream.getvalue()


PICTURES: dict[str, Callable[[Figure], bytes]] = {".pdf": _pdf, ".png": _png, ".svg": _svg}
"""How a figure becomes each of its files. Dates are left out, since a file that differs by its date
alone would look like a change."""

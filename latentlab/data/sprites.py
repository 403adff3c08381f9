"""The visual vocabularies of the benchmark, as tiles of one cell.

A tile is the opacity of one glyph, already in its place in a cell; colour is applied when a picture
is put together. Tiles have a margin of one pixel all round, so that a jittered glyph is a shifted
window of its tile and costs nothing. Sheets of tiles are drawn once per process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from latentlab.data.glyphs import (
    DIGITS,
    LETTERS,
    SHAPES,
    GlyphPart,
    Opacity,
    Split,
    draw_digits,
    draw_letters,
    draw_shapes,
)

CELL = 28
"""Pixels along a cell: one visual token of Qwen2-VL (patch 14, merged two by two)."""
MARGIN = 1
"""Pixels by which a glyph may be jittered."""

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (225, 40, 45),
    "yellow": (205, 160, 0),
    "green": (25, 150, 50),
    "cyan": (0, 170, 200),
    "blue": (65, 90, 245),
    "pink": (230, 85, 200),
}
"""Mid-tones, so that each is legible on dark and on light."""

_DARK, _LIGHT = (18, 18, 24), (244, 244, 238)
_CENTRE: dict[GlyphPart, float] = {"glyph": 9.0, "mark": 21.5}
"""Where a glyph or mark sits, along both axes of its cell."""


@dataclass(frozen=True)
class Domain:
    """One visual vocabulary."""

    kinds: tuple[str, ...]
    """Names of its kinds, one word each."""

    topics: tuple[str, ...]
    """The ways in which the same kinds are shown."""

    draw: Callable[[str, Split, GlyphPart], list[list[Opacity]]]
    """Drawings of every sample of every kind; only handwriting depends on the split."""


DOMAINS: dict[str, Domain] = {
    "relation": Domain(SHAPES, ("filled", "outlined"), draw_shapes),
    "digits": Domain(DIGITS, ("dark", "light"), draw_digits),
    "letters": Domain(LETTERS, ("sans", "serif"), draw_letters),
}
"""Every domain of the benchmark, by name."""


@dataclass(frozen=True)
class Sheet:
    """All tiles of one domain, topic and split: (kinds, samples, height, width) opacities."""

    glyphs: Opacity
    """Big glyphs, each the identity of a cell."""

    marks: Opacity
    """Small glyphs, each the name of another cell's object."""

    background: tuple[int, int, int]
    """RGB of an empty picture."""


@cache
def sheet(domain: str, topic: str, split: Split) -> Sheet:
    """The tiles of a domain and topic, drawn at the first call."""

    def tiles(part: GlyphPart) -> Opacity:
        kinds = DOMAINS[domain].draw(topic, split, part)
        return np.array([[_tile(sample, _CENTRE[part]) for sample in kind] for kind in kinds])

    return Sheet(tiles("glyph"), tiles("mark"), _LIGHT if topic == "light" else _DARK)


def _tile(drawing: Opacity, centre: float) -> Opacity:
    """The drawing centred at `centre`, a diagonal position, in an otherwise empty tile."""
    height, width = drawing.shape
    top, left = (int(centre - side / 2) + MARGIN for side in (height, width))
    tile = np.zeros((CELL + 2 * MARGIN,) * 2, np.uint8)
    tile[top : top + height, left : left + width] = drawing
    return tile

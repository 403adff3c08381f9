"""Drawings of single glyphs: shapes, printed letters and handwritten digits, as opacities.

Colour and place are none of its business. Each drawing function returns, for every kind of its
domain, the list of its samples: one for shapes and letters, one per scan and variant for digits.
scikit-learn and matplotlib are imported only when their glyphs are first asked for.
"""

from __future__ import annotations

from functools import cache
from math import cos, pi, sin
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

GlyphPart = Literal["glyph", "mark"]
"""The big glyph that is a cell's identity, or the small one that names another cell."""

Opacity = npt.NDArray[np.uint8]
"""Opacity of pixels, 0 to 255; (height, width) for a single drawing."""

SHAPES = ("circle", "square", "triangle", "star", "cross", "diamond")
DIGITS = tuple("0123456789")
LETTERS = tuple("KLMOPSTVYZ")
"""The ten that overlap least at eleven pixels, of those that are not the name of an option."""

_EXTENT: dict[GlyphPart, int] = {"glyph": 16, "mark": 11}
"""Pixels along the longer side."""
_FINE = 8
"""Drawings are made this many times larger, then averaged down."""
_LINE = 1.5
"""Width of an outline in pixels."""
_SHARES: dict[Split, tuple[float, float]] = {
    "train": (0.0, 0.8),
    "validation": (0.8, 0.9),
    "test": (0.9, 1.0),
}
_VARIANTS = (
    (1.0, 0.0, 0.0),
    (0.9, 0.3, 0.3),
    (0.9, -0.3, -0.3),
    (0.95, 0.4, -0.4),
    (1.05, -0.4, 0.2),
    (1.1, 0.0, 0.0),
)
"""Scale, and shift right and down in pixels of the 8x8 scan; the first is the scan as it is."""


def draw_shapes(topic: str, split: Split, part: GlyphPart) -> list[list[Opacity]]:
    """Filled shapes, or outlined ones; marks are always filled, a thin line would be lost there."""
    outlined = topic == "outlined" and part == "glyph"

    def shape(kind: str) -> Opacity:
        size = _EXTENT[part] * _FINE
        page = Image.new("L", (size, size))
        corners = [((1 + x) * size / 2, (1 + y) * size / 2) for x, y in _corners(kind)]
        ImageDraw.Draw(page).polygon(corners, fill=255)
        ink = np.asarray(page)
        if outlined:
            # Eroding leaves a line of even width, which shrinking the shape would not.
            ink = ink - np.asarray(page.filter(ImageFilter.MinFilter(2 * int(_LINE * _FINE) + 1)))
        return _average(Image.fromarray(ink))

    return [[shape(kind)] for kind in SHAPES]


def draw_letters(topic: str, split: Split, part: GlyphPart) -> list[list[Opacity]]:
    """Capitals of the bold fonts that matplotlib ships, with serifs or without."""
    import matplotlib

    name = {"sans": "DejaVuSans-Bold.ttf", "serif": "DejaVuSerif-Bold.ttf"}[topic]
    font_file = Path(matplotlib.get_data_path(), "fonts", "ttf", name)
    extent = _EXTENT[part]
    font = ImageFont.truetype(font_file, 2 * extent * _FINE)

    def letter(kind: str) -> Opacity:
        page = Image.new("L", (4 * extent * _FINE,) * 2)
        ImageDraw.Draw(page).text((extent, extent), kind, fill=255, font=font)
        ink = page.crop(page.getbbox())
        height = extent - 1
        width = min(extent, round(ink.width * height / ink.height))
        return _average(ink.resize((width * _FINE, height * _FINE)))

    return [[letter(kind)] for kind in LETTERS]


def draw_digits(topic: str, split: Split, part: GlyphPart) -> list[list[Opacity]]:
    """Handwritten digits of the split, in several variants each for training.

    The topic is a matter of background. Without variants, a model learns the training scans and
    does not read unseen ones.
    """
    # A scan has an empty edge where a letter has none, so a mark can be one pixel larger.
    extent = {"glyph": _EXTENT["glyph"], "mark": _EXTENT["mark"] + 1}[part]
    return [
        [_digit(scan, extent, *variant) for scan in scans for variant in _variants(split)]
        for scans in handwriting(split)
    ]


def scan_of(split: Split, sample: int) -> int:
    """Which scan of its digit the drawing number `sample` of `draw_digits` shows."""
    return sample // len(_variants(split))


@cache
def handwriting(split: Split) -> npt.NDArray[np.float64]:
    """The handwritten digits of a split; no scan is in two splits.

    Returns:
        Scans from 0 (paper) to 1 (ink), equally many of each digit: (10, samples, 8, 8).
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    # scikit-learn lists writer after writer; shuffled, every split holds every hand.
    order = np.random.default_rng(0).permutation(len(digits.target))
    scans, labels = digits.images[order] / 16, digits.target[order]
    rarest = int(np.bincount(labels).min())
    first, last = (round(share * rarest) for share in _SHARES[split])
    return np.stack([scans[labels == digit][first:last] for digit in range(10)])


def _variants(split: Split) -> tuple[tuple[float, float, float], ...]:
    return _VARIANTS if split == "train" else _VARIANTS[:1]


def _digit(
    scan: npt.NDArray[np.float64], extent: int, scale: float, right: float, down: float
) -> Opacity:
    pad = 2  # so that the box below stays on the page for every variant
    page = Image.fromarray(np.pad(scan, pad).astype(np.float32))
    x, y, reach = pad + 4 - right, pad + 4 - down, 4 / scale
    box = (x - reach, y - reach, x + reach, y + reach)
    ink = np.asarray(page.resize((extent, extent), Image.Resampling.BICUBIC, box=box))
    # A scan is pale at the rim of a stroke, which a coloured stroke cannot afford.
    return (255 * np.clip(1.15 * ink, 0, 1)).astype(np.uint8)


def _average(page: Image.Image) -> Opacity:
    size = (page.width // _FINE, page.height // _FINE)
    return np.asarray(page.resize(size, Image.Resampling.BOX))


def _corners(shape: str) -> list[tuple[float, float]]:
    """Corners of a shape between -1 and 1, x to the right and y down."""
    if shape == "square":
        return [(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)]
    if shape == "triangle":
        return [(0.0, -0.95), (0.98, 0.85), (-0.98, 0.85)]
    if shape == "diamond":
        return [(0.0, -0.98), (0.68, 0.0), (0.0, 0.98), (-0.68, 0.0)]
    if shape == "cross":
        arm = [(-0.3, -0.95), (0.3, -0.95), (0.3, -0.3)]
        return [corner for turn in range(4) for corner in _turned(arm, turn)]
    radii = {"circle": (0.95,) * 64, "star": (0.98, 0.42) * 5}[shape]
    angles = [2 * pi * point / len(radii) for point in range(len(radii))]
    return [(r * sin(angle), -r * cos(angle)) for r, angle in zip(radii, angles, strict=True)]


def _turned(corners: list[tuple[float, float]], quarters: int) -> list[tuple[float, float]]:
    for _ in range(quarters):
        corners = [(-y, x) for x, y in corners]
    return corners

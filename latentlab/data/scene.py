"""A benchmark picture as numbers: drawn from a seed, changed by replacing a field, then rendered.

Keeping every random choice in the scene is what lets two pictures differ in one mark and in
nothing else, neither jitter nor noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

from latentlab.data.glyphs import SPLITS, Opacity, Split, scan_of
from latentlab.data.sprites import CELL, COLOURS, DOMAINS, MARGIN, sheet

GRID = 4
"""Cells along the picture."""
CELLS = GRID * GRID
SIZE = GRID * CELL
"""Pixels along the picture."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

_NOISE_SD = 0.035 * 255
_BANK = 4 * SIZE
"""Side of the field of noise of which every picture shows a random window."""
_JITTERS = 2 * MARGIN + 1
_PALETTE: Floats = np.array(list(COLOURS.values()), np.float32)


@dataclass(frozen=True)
class Scene:
    """Everything that decides the pixels of one picture. Arrays have one row per cell."""

    domain: str
    """Name of the visual vocabulary."""

    topic: str
    """How the vocabulary is drawn."""

    split: Split
    """Whose handwriting and noise are used."""

    objects: Ints
    """(16,) numbers of the objects: colour * kinds + kind, all different."""

    links: Ints
    """(16,) cell whose object the mark names."""

    jitter: Ints
    """(2, 2, 16) shift down and right of the glyphs, then of the marks, from 0 to 2."""

    sample: Ints
    """(2, 16) which drawing of its kind a glyph or mark is, before the modulus by their number."""

    noise: tuple[int, int]
    """Top and left of the window onto the field of noise."""

    @property
    def names(self) -> tuple[str, ...]:
        """The object of each cell in words, e.g. "red circle"."""
        names = object_names(self.domain)
        return tuple(names[number] for number in self.objects.tolist())

    @property
    def scans(self) -> tuple[tuple[str, ...], ...]:
        """What each cell shows that other pictures may show too: the scans of glyph and mark.

        A scan goes by split, digit and number, e.g. "test 7.12"; empty where every drawing of a
        kind is the same.
        """
        samples = sheet(self.domain, self.topic, self.split).glyphs.shape[1]
        if samples == 1:
            return ()
        kinds = DOMAINS[self.domain].kinds
        names = [
            [
                f"{self.split} {kinds[number % len(kinds)]}.{scan_of(self.split, sample % samples)}"
                for number, sample in zip(numbers.tolist(), drawn.tolist(), strict=True)
            ]
            for numbers, drawn in zip(self.named, self.sample, strict=True)
        ]
        return tuple(zip(*names, strict=True))

    @property
    def named(self) -> tuple[Ints, Ints]:
        """(16,) numbers of the objects that glyphs show, and of those that marks name."""
        return self.objects, self.objects[self.links]


@cache
def object_names(domain: str) -> tuple[str, ...]:
    """Every object of a domain in words; the position is the object's number in a scene."""
    return tuple(f"{colour} {kind}" for colour in COLOURS for kind in DOMAINS[domain].kinds)


def draw_scene(rng: np.random.Generator, domain: str, topic: str, split: Split) -> Scene:
    """A random scene whose links form a single cycle through all cells.

    One cycle keeps the cells of a walk distinct and gives every object one mark that names it, so
    that neither repetition nor counting gives an answer away.
    """
    order = rng.permutation(CELLS)
    links = np.empty_like(order)
    links[order] = np.roll(order, -1)
    top, left = rng.integers(_BANK - SIZE + 1, size=2).tolist()
    return Scene(
        domain=domain,
        topic=topic,
        split=split,
        objects=rng.permutation(len(object_names(domain)))[:CELLS],
        links=links,
        jitter=rng.integers(_JITTERS, size=(2, 2, CELLS)),
        sample=rng.integers(1 << 32, size=(2, CELLS)),
        noise=(top, left),
    )


def render(scene: Scene) -> Image.Image:
    """The picture of a scene, RGB, 112 by 112 pixels."""
    tiles = sheet(scene.domain, scene.topic, scene.split)
    cells = np.empty((CELLS, CELL, CELL, 3), np.float32)
    cells[:] = tiles.background
    layers = (tiles.glyphs, tiles.marks)
    for layer, (kind_tiles, numbers) in enumerate(zip(layers, scene.named, strict=True)):
        colours, kinds = np.divmod(numbers, len(DOMAINS[scene.domain].kinds))
        opacity = _cut(kind_tiles, kinds, scene.sample[layer], scene.jitter[layer])
        cells += opacity * (_PALETTE[colours][:, None, None] - cells)
    grid = cells.reshape(GRID, GRID, CELL, CELL, 3).swapaxes(1, 2).reshape(SIZE, SIZE, 3)
    top, left = scene.noise
    pixels = grid + _noise(scene.split)[top : top + SIZE, left : left + SIZE]
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _cut(tiles: Opacity, kinds: Ints, sample: Ints, jitter: Ints) -> Floats:
    """The jittered drawings of some kinds as opacities, (16, CELL, CELL, 1) from 0 to 1."""
    windows = sliding_window_view(tiles, (CELL, CELL), axis=(2, 3))
    cut: Opacity = windows[kinds, sample % tiles.shape[1], *jitter]
    return cut[..., None].astype(np.float32) / np.float32(255)


@cache
def _noise(split: Split) -> Floats:
    # A window onto one field is forty times faster than fresh noise. Splits do not share a field.
    rng = np.random.default_rng(SPLITS.index(split))
    return rng.standard_normal((_BANK, _BANK, 3), np.float32) * np.float32(_NOISE_SD)

"""One question of the diagnostic benchmark, worked: what a mark is, and what a hop is.

The question is a real one of the generator, so that the drawing cannot say what the data do not.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import hypot

from markupsafe import Markup

from latentlab.data.benchmark import Benchmark, BenchmarkConfig
from latentlab.data.example import traced
from latentlab.data.scene import GRID
from latentlab.data.sprites import CELL
from latentlab.notebook import picture_uri

SHOWN = BenchmarkConfig(domains=("relation",))
"""Where the question is from: plain shapes need no explanation."""

INDEX = 53
"""Which question: one of filled shapes on a dark ground whose arrows keep clear of each other."""

_GLYPH, _MARK = (9.5, 9.0), (20.5, 21.5)  # centres in a cell, in pixels of the picture
_LONG = 30  # pixels of an arrow that has room for its number
_GAP = 6.5  # pixels that an arrow keeps from the middle of an object


@dataclass(frozen=True)
class Worked:
    """A question with its walk."""

    question: str
    """What is asked."""

    choices: tuple[str, ...]
    """Its options."""

    walk: tuple[str, ...]
    """Objects from the start to the answer."""

    picture: Markup
    """The picture with the walk drawn on it."""

    cell: Markup
    """The start's cell, enlarged."""


def worked_question() -> Worked:
    """Draw the question."""
    example = Benchmark(SHOWN)[INDEX]
    trace, hops = traced(example)
    assert example.image is not None
    image = Markup(
        '<image href="{}" width="{}" height="{}" preserveAspectRatio="none" '
        'image-rendering="pixelated"/>'
    ).format(picture_uri(example.image), *example.image.size)
    cells = trace.cells[: hops + 1]
    walk = tuple(trace.at(hop) for hop in range(hops + 1))
    arrows = [_arrow(a, b, hop) for hop, (a, b) in enumerate(pairwise(cells), 1)]
    rings = [_ring(cells[0], "start"), _ring(cells[-1], "end")]
    label = f"The picture of the question. The walk: {', '.join(walk)}."
    side = GRID * CELL
    picture = _svg(label, (0, 0, side, side), Markup("").join([image, *rings, *arrows]))
    x, y = _corner(cells[0])
    label = f"The cell of the {walk[0]}: the object is large, its mark is a small {walk[1]}."
    cell = _svg(label, (x, y, CELL, CELL), image)
    return Worked(example.question, example.choices, walk, picture, cell)


def _svg(label: str, box: tuple[int, int, int, int], inside: Markup) -> Markup:
    """A drawing in pixels of the picture."""
    head = '<svg viewBox="{} {} {} {}" role="img" aria-label="{}">{}</svg>'
    return Markup(head).format(*box, label, inside)


def _corner(cell: int) -> tuple[int, int]:
    """Upper left pixel of a cell."""
    return cell % GRID * CELL, cell // GRID * CELL


def _ring(cell: int, kind: str) -> Markup:
    """A ring around the object of a cell."""
    x, y = _corner(cell)
    circle = '<circle class="ring ring-{}" cx="{}" cy="{}" r="9"/>'
    return Markup(circle).format(kind, x + _GLYPH[0], y + _GLYPH[1])


def _arrow(source: int, target: int, hop: int) -> Markup:
    """An arrow from the mark in one cell to the object that it names, with the hop's number."""
    (x0, y0), (x1, y1) = (
        tuple(a + b for a, b in zip(_corner(cell), within, strict=True))
        for cell, within in ((source, _MARK), (target, _GLYPH))
    )
    far = hypot(x1 - x0, y1 - y0)
    dx, dy = (x1 - x0) / far, (y1 - y0) / far
    x0, y0, x1, y1 = x0 + 4 * dx, y0 + 4 * dy, x1 - _GAP * dx, y1 - _GAP * dy
    head = [(x1, y1), *((x1 - 4 * dx + s * dy, y1 - 4 * dy - s * dx) for s in (2.2, -2.2))]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in head)
    # The number of a short arrow stands beside it: on it, it would hide it.
    aside = 5.5 if far < _LONG else 0.0
    middle = (x0 + x1) / 2 + aside * dy, (y0 + y1) / 2 - aside * dx
    line = '<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>'
    ends = x0, y0, x1 - 3 * dx, y1 - 3 * dy
    return Markup("").join(
        [
            *(Markup(line).format(name, *ends) for name in ("hop-halo", "hop-line")),
            Markup('<polygon class="hop-head" points="{}"/>').format(points),
            Markup('<circle class="hop-disc" cx="{:.1f}" cy="{:.1f}" r="4"/>').format(*middle),
            Markup('<text class="hop-number" x="{:.1f}" y="{:.1f}">{}</text>').format(
                middle[0], middle[1] + 1.9, hop
            ),
        ]
    )

"""Whether a figure can be read as it is printed: nothing clipped, nothing on top of other text.

    python -m tests.legible --results results/paper calibration necessity

Texts are taken as they are drawn, so that hidden labels do not count and every drawn one does. The
command looks at figures made of real results, whatever their settings; without names at all.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from unittest.mock import patch

from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from latentlab.console import show
from latentlab.figures.artifacts import Drawing, Table
from latentlab.figures.config import EXPERIMENTS
from latentlab.figures.experiment import find_experiments, missing
from latentlab.figures.style import RC, WIDTHS
from latentlab.study.results import read_results

LEAST = 7.0
"""Points that type has at least, at the width that a figure is printed at."""

SLACK = 0.6
"""Points by which boxes may pass each other or the canvas: less than the room around a letter."""


WORDS = 65
"""Words that say what is drawn, at most: about sixty."""

FINE = 4
"""Pixels a point: on a coarse grid letters take other widths than in print."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """One text as it was drawn."""

    text: str
    """What it says."""

    box: Bbox
    """Where it stands, in points from the lower left corner of the canvas."""

    size: float
    """Its type in points."""

    window: Bbox | None
    """What it is cut off at besides the canvas, in points; None where it is not."""


def drawn_texts(figure: Figure) -> list[Drawn]:
    """Every text that reaches the canvas, in the order of drawing."""
    found: list[Drawn] = []
    draw = Text.draw

    def record(self: Text, renderer, *args, **kwargs):
        if self.get_visible() and self.get_text().strip():
            box = _points(self.get_window_extent(renderer))
            cut = self.get_clip_box() if self.get_clip_on() else None
            window = None if cut is None else _points(cut)
            found.append(Drawn(self.get_text(), box, float(self.get_fontsize()), window))
        return draw(self, renderer, *args, **kwargs)

    with plt.rc_context(RC):
        figure.set_dpi(72 * FINE)
        canvas = FigureCanvasAgg(figure)
        with patch.object(Text, "draw", record):
            canvas.draw()
    return found


def problems(figure: Figure) -> list[str]:
    """What cannot be read in a figure, one sentence each; empty where all is well."""
    width, height = figure.get_size_inches()
    faults = []
    if not any(abs(width - printed) < 1e-6 for printed in WIDTHS.values()):
        faults.append(f"the figure is {width:.2f} in wide, which is no width of a column")
    texts = drawn_texts(figure)
    canvas = Bbox.from_bounds(0, 0, 72 * width, 72 * height)
    for one in texts:
        if one.size < LEAST:
            faults.append(f"{one.text!r} has {one.size:g} pt")
        for window in (canvas, one.window):
            if window is not None and not _inside(one.box, window):
                faults.append(f"{one.text!r} is cut off")
                break
    faults += [f"{a!r} and {b!r} overlap" for a, b in _overlaps(texts)]
    return list(dict.fromkeys(faults))


def unreadable(made: Drawing | Table) -> list[str]:
    """What cannot be read in a figure or a table, of which only the caption has a layout."""
    drawn = problems(made.figure) if isinstance(made, Drawing) else []
    return drawn + caption_problems(made.caption)


def caption_problems(caption: str) -> list[str]:
    """What is wrong with a caption: it is one sentence of what was found, then what is drawn."""
    finding, *rest = caption.split("\n\n")
    faults = [] if len(rest) == 1 else [f"the caption has {1 + len(rest)} paragraphs, not 2"]
    if rest and len(rest[0].split()) > WORDS:
        faults.append(f"the caption takes {len(rest[0].split())} words to say what is drawn")
    if not any(letter.isdigit() for letter in finding):
        faults.append("the finding has no number")
    return faults


def _points(pixels: Bbox) -> Bbox:
    return Bbox(pixels.get_points() / FINE)


def _inside(box: Bbox, window: Bbox) -> bool:
    return bool(
        box.x0 >= window.x0 - SLACK
        and box.y0 >= window.y0 - SLACK
        and box.x1 <= window.x1 + SLACK
        and box.y1 <= window.y1 + SLACK
    )


def _overlaps(texts: list[Drawn]) -> Iterator[tuple[str, str]]:
    """Pairs of texts whose boxes share more than the room around their letters."""
    for one, other in combinations(texts, 2):
        wide = min(one.box.x1, other.box.x1) - max(one.box.x0, other.box.x0)
        high = min(one.box.y1, other.box.y1) - max(one.box.y0, other.box.y0)
        if wide > SLACK and high > SLACK:
            yield one.text, other.text


def main() -> int:
    """Look at figures made of real results; returns how many cannot be read."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--results", type=Path, default=Path("results/paper"))
    given = parser.parse_args()
    bad = 0
    for experiment in find_experiments(EXPERIMENTS, given.names):
        if missing(experiment.studies, given.results):
            show(f"{experiment.name}: no results")
            continue
        with plt.rc_context(RC):
            found = {s.name: read_results(given.results / s.name) for s in experiment.studies}
            faults = unreadable(experiment.make(found))
        plt.close("all")
        bad += bool(faults)
        show(f"{experiment.name}: {'; '.join(faults) or 'legible'}")
    return bad


if __name__ == "__main__":
    sys.exit(main())

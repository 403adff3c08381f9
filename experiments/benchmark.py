"""The rule of the diagnostic benchmark: what a mark is, what a hop is, and one question worked.

No study: the question is drawn from its trace (`latentlab.data.benchmark`). Left, the cell in which
it starts and the one to which its mark leads; middle, the whole walk; right, the two other domains.
"""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from latentlab.data.benchmark import NUMBERS, Benchmark, BenchmarkConfig
from latentlab.data.example import Example, traced
from latentlab.data.scene import CELL, GRID
from latentlab.figures.artifacts import Drawing, caption
from latentlab.figures.experiment import Found, Study
from latentlab.figures.style import DARK_LETTERS, INK, LEAST_TYPE, LIGHT_LETTERS, canvas
from latentlab.wording import joined

PART = "main"
STUDIES: tuple[Study, ...] = ()

DOMAINS = ("relation", "digits", "letters")
"""The worked question, and those that are shown beside it."""

INDEX = 4
"""Number of the question in each domain."""

LAYOUT = [["start", "whole", DOMAINS[1]], ["next", "whole", DOMAINS[2]]]

SMALL = {"fontsize": LEAST_TYPE}


def make(found: Found) -> Drawing:
    """The figure: a hop, the walk, and the other domains."""
    example, *others = (Benchmark(BenchmarkConfig(domains=(domain,)))[INDEX] for domain in DOMAINS)
    trace, hops = traced(example)
    start, second = trace.cells[:2]
    figure, (whole_page,) = canvas("double", 3.1)
    whole_page.remove()
    axes = figure.subplot_mosaic(LAYOUT, width_ratios=[1, 2.1, 1])
    mark = trace.objects[second]
    _cell(axes["start"], example, start, f"The start: {trace.objects[start]}.\nIts mark: {mark}.")
    _cell(axes["next"], example, second, f"One hop on: {mark}.\n{_mark_of(example, second)}")
    _walk(axes["whole"], example)
    way = " → ".join(trace.objects[cell] for cell in trace.cells[: hops + 1])
    axes["whole"].set_title(example.question, fontsize=7.5)
    axes["whole"].set_xlabel(way.replace(" → ", " →\n", 2).replace("\n", " ", 1), **SMALL)
    for other in others:
        _walk(axes[other.domain], other)
        axes[other.domain].set_xlabel(f"{other.domain}: {other.answer}", **SMALL)
    walk = [trace.objects[cell] for cell in trace.cells[1 : hops + 1]]
    finding = (
        f"A question of {NUMBERS[hops - 1]} hops takes {NUMBERS[hops - 1]} look-ups in the "
        f"picture: from the {trace.objects[start]}, marks lead to {joined(walk[:-1])}, and on to "
        f"the answer, {example.answer}."
    )
    drawn = (
        f"Each of {GRID * GRID} cells shows an object, large, and a mark, small at its lower "
        "right, which names the object of the cell to go to. Left: one hop. Middle: the walk. "
        "Right: the other domains, real handwritten digits among them, with their answers."
    )
    data = pd.DataFrame(
        {
            "hop": range(hops + 1),
            "cell": trace.cells[: hops + 1],
            "object": [trace.objects[cell] for cell in trace.cells[: hops + 1]],
            "mark": [trace.objects[trace.links[cell]] for cell in trace.cells[: hops + 1]],
        }
    )
    return Drawing(figure, data, caption(finding, drawn))


def _mark_of(example: Example, cell: int) -> str:
    trace, _ = traced(example)
    return f"Its mark: {trace.objects[trace.links[cell]]}."


def _corner(cell: int) -> tuple[int, int]:
    """Left and top of a cell in pixels."""
    return cell % GRID * CELL, cell // GRID * CELL


def _cell(axis: Axes, example: Example, cell: int, words: str) -> None:
    """Draw one cell large."""
    left, top = _corner(cell)
    pixels: npt.NDArray[np.uint8] = np.asarray(example.image)
    axis.imshow(pixels[top : top + CELL, left : left + CELL], interpolation="none")
    axis.set(xticks=[], yticks=[])
    axis.set_xlabel(words, **SMALL)
    axis.spines[:].set_visible(True)


def _walk(axis: Axes, example: Example) -> None:
    """Draw a picture with its hops as numbered arrows."""
    trace, hops = traced(example)
    axis.imshow(np.asarray(example.image), interpolation="none")
    axis.set(xticks=[], yticks=[])
    light = example.topic == "light"
    ink, ground = (DARK_LETTERS, LIGHT_LETTERS) if light else (LIGHT_LETTERS, DARK_LETTERS)
    centres = [
        (left + CELL / 2, top + CELL / 2) for left, top in map(_corner, trace.cells[: hops + 1])
    ]
    for i, (start, end) in enumerate(pairwise(centres), 1):
        arrow = {"arrowstyle": "->", "color": ink, "lw": 1.1, "shrinkA": 5, "shrinkB": 5}
        axis.annotate("", end, start, arrowprops=arrow)
        if axis.get_subplotspec() is not None and example.domain == DOMAINS[0]:
            middle = [(a + b) / 2 for a, b in zip(start, end, strict=True)]
            box = {"boxstyle": "circle,pad=0.15", "fc": ground, "ec": INK, "lw": 0}
            place = {"ha": "center", "va": "center", "bbox": box, **SMALL}
            axis.text(middle[0], middle[1], str(i), color=ink, **place)

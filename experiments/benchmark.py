"""Draw one question of each domain of the diagnostic benchmark, with its way through the picture.

    python experiments/benchmark_example.py            writes figures/benchmark.png and .pdf

The way is read off the example's trace: the start, each hop, and the answer.
"""

from itertools import pairwise
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from latentlab.data.benchmark import Benchmark, BenchmarkConfig
from latentlab.data.example import traced
from latentlab.data.scene import CELL, GRID

FIGURES = Path(__file__).parent.parent / "figures"
DOMAINS = ("relation", "digits", "letters")
INK = "#f2f2f2"


def main() -> None:
    """Draw the figure."""
    figure, axes = plt.subplots(1, 3, figsize=(7.0, 2.75), layout="constrained")
    for axis, domain in zip(axes, DOMAINS, strict=True):
        example = Benchmark(BenchmarkConfig(domains=(domain,)))[4]
        trace, hops = traced(example)
        axis.imshow(example.image, interpolation="nearest")
        centres = [
            ((cell % GRID + 0.5) * CELL, (cell // GRID + 0.5) * CELL)
            for cell in trace.cells[: hops + 1]
        ]
        ink = INK if example.topic != "light" else "#202020"
        for i, (start, end) in enumerate(pairwise(centres), 1):
            arrow = {"arrowstyle": "->", "color": ink, "lw": 1.1, "shrinkA": 6, "shrinkB": 6}
            axis.annotate("", end, start, arrowprops=arrow)
            middle = [(a + b) / 2 for a, b in zip(start, end, strict=True)]
            box = {"boxstyle": "circle,pad=0.15", "fc": "#202020", "ec": "none"}
            axis.text(
                *middle, str(i), color="white", fontsize=6, ha="center", va="center", bbox=box
            )
        steps = ", ".join(example.rationale)
        axis.set_xlabel(f"{example.question}\n{steps}.\nAnswer: {example.answer}", fontsize=6.5)
        axis.set(xticks=[], yticks=[])
    for suffix in ("png", "pdf"):
        figure.savefig(FIGURES / f"benchmark.{suffix}", dpi=200)


if __name__ == "__main__":
    main()

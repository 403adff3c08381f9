"""Steps of training: what padding, waiting for batches, and sizes cost.

    python -m benchmarks.training
    python -m benchmarks.training --parts waiting --repeats 9

The sides of a part run in turns, in one process. `padding`: an epoch over the same examples in
batches as they come and in batches of examples of about the same lengths. `waiting`: steps on
batches that are ready, that are made when they are asked for, and that are made ahead in a thread,
as a training does. `batch`, `steps` and `k`: one step of each size, beside the smallest.

Time is processor time, but for `waiting`, where it is time on the clock: what is waited for there
does not count as work. A second core has to be free for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from benchmarks.run import RESULTS, Flags, benchmark, start
from benchmarks.training_sides import padding_sides, size_sides, waiting_sides
from benchmarks.turns import spread, turns
from latentlab import console

Part = Literal["padding", "waiting", "batch", "steps", "k"]


@dataclass(frozen=True, kw_only=True)
class TrainingBenchmarkConfig(Flags):
    """Flags of the benchmark."""

    parts: tuple[Part, ...] = ("padding", "waiting", "batch", "steps", "k")
    """What to measure."""

    examples: int = 200
    """Examples of an epoch whose padding is measured, in batches of 4 as a GPU computes them."""

    steps: int = 3
    """Steps of a run whose waiting is measured."""

    repeats: int = 3
    """Timed runs of each side."""

    out: Path = RESULTS / "training"
    """Folder of the results."""


def measure(config: TrainingBenchmarkConfig) -> Iterator[dict[str, Any]]:
    """Time the sides of every part in turns; one row per side and repeat."""
    for part in config.parts:
        if part == "padding":
            cases = padding_sides(config.examples)
        else:
            cases = waiting_sides(config.steps) if part == "waiting" else size_sides(part)
        for case, sides in cases:
            runs = {side: run for side, (run, _) in sides.items()}
            for repeat, side, seconds in turns(runs, config.repeats + 1):
                if repeat:  # the first round warms up
                    names = {"part": case, "side": side, "repeat": repeat, "seconds": seconds}
                    yield {**names, "padding": None, "waiting": None, **sides[side][1]}


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """How many times as long as its part's first side each takes: median and range over repeats."""
    lines = []
    for part, group in rows.groupby("part", sort=False):
        first = group["side"].iloc[0]
        wide = group.pivot(index="repeat", columns="side", values="seconds")
        for side, runs in group.groupby("side", sort=False):
            ratio = wide[side] / wide[first]
            lines.append(
                {
                    "part": part,
                    "side": side,
                    "against": first,
                    "n": len(wide),
                    "seconds": wide[side].median(),
                    **spread("ratio", ratio),
                    "padding": runs["padding"].astype(float).median(),
                    "waiting": runs["waiting"].astype(float).median(),
                }
            )
    return pd.DataFrame(lines)


def show(summary: pd.DataFrame) -> None:
    """Put the table on the screen."""
    columns = {
        "part": "part",
        "side": "side",
        "seconds": "s",
        "ratio": "times the first",
        "padding": "padding",
        "waiting": "waiting",
    }
    console.table(summary, columns, "Seconds an example, or a step where waiting is measured")


def main(config: TrainingBenchmarkConfig) -> None:
    """Run the benchmark."""

    def measured() -> pd.DataFrame:
        return pd.DataFrame(measure(config))

    benchmark("training", config, measured, summarise, lambda _, summary: show(summary))


if __name__ == "__main__":
    start(TrainingBenchmarkConfig, main)

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

import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import torch
import tyro

from benchmarks.training_sides import padding_sides, size_sides, waiting_sides
from latentlab import console
from latentlab.errors import UserError
from latentlab.study.provenance import Start, provenance
from latentlab.study.results import check_out, write_results

COMMAND = "benchmark-training"
Part = Literal["padding", "waiting", "batch", "steps", "k"]


@dataclass(frozen=True, kw_only=True)
class TrainingBenchmarkConfig:
    """Flags of the benchmark."""

    parts: tuple[Part, ...] = ("padding", "waiting", "batch", "steps", "k")
    """What to measure."""

    examples: int = 200
    """Examples of an epoch whose padding is measured, in batches of 4 as a GPU computes them."""

    steps: int = 3
    """Steps of a run whose waiting is measured."""

    repeats: int = 3
    """Timed runs of each side."""

    threads: int = 1
    """CPU threads."""

    out: Path = Path("benchmarks") / "results" / "training"
    """Folder of the results."""


def measure(config: TrainingBenchmarkConfig) -> Iterator[dict[str, Any]]:
    """Time the sides of every part in turns; one row per side and repeat."""
    for part in config.parts:
        if part == "padding":
            cases = padding_sides(config.examples)
        else:
            cases = waiting_sides(config.steps) if part == "waiting" else size_sides(part)
        for case, sides in cases:
            for repeat, (side, (run, known)) in itertools.product(
                range(config.repeats + 1), sides.items()
            ):
                seconds = run()
                if repeat:  # the first round warms up
                    names = {"part": case, "side": side, "repeat": repeat}
                    yield {**names, "seconds": seconds, "padding": None, "waiting": None, **known}


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
                    "ratio": ratio.median(),
                    "ratio_low": ratio.min(),
                    "ratio_high": ratio.max(),
                    "padding": runs["padding"].astype(float).median(),
                    "waiting": runs["waiting"].astype(float).median(),
                }
            )
    return pd.DataFrame(lines)


def main(config: TrainingBenchmarkConfig) -> None:
    """Run the benchmark and show its table."""
    started = Start()
    check_out(config.out, config, COMMAND)
    torch.set_num_threads(config.threads)
    rows = pd.DataFrame(measure(config))
    summary = summarise(rows)
    out = write_results(config.out, rows, summary, provenance(config, COMMAND, 0, {}, started))
    columns = {
        "part": "part",
        "side": "side",
        "seconds": "s",
        "ratio": "times the first",
        "padding": "padding",
        "waiting": "waiting",
    }
    console.table(summary, columns, "Seconds an example, or a step where waiting is measured")
    console.show(f"Rows, summary and settings are in {out}.")


if __name__ == "__main__":
    try:
        main(tyro.cli(TrainingBenchmarkConfig, description=__doc__))
    except UserError as error:
        console.fail(str(error))
        sys.exit(2)

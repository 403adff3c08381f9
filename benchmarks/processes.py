"""What processes are worth: one with all threads beside several that share them.

    python -m benchmarks.processes
    python -m benchmarks.processes --repeats 9 --limit 1000

The same ablation is run as a command, from its start to its results, in turns. Time is that of the
clock, so whatever else the machine does counts: turns spread it over both, and the fastest run of
each is the one least disturbed.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from benchmarks.run import RESULTS, Flags, benchmark, start
from benchmarks.turns import spread, turns
from latentlab import console
from latentlab.errors import UserError
from latentlab.study.results import ROWS


@dataclass(frozen=True, kw_only=True)
class ProcessesConfig(Flags):
    """Flags of the benchmark."""

    processes: tuple[int, ...] = (1, 2)
    """How many share the work; the threads are divided among them."""

    threads: int = os.cpu_count() or 1
    """Threads of all processes together."""

    limit: int = 400
    """Examples that are asked."""

    batch_size: int = 50
    """Examples of a batch, the unit that is shared."""

    repeats: int = 5
    """Runs of each, in turns."""

    out: Path = RESULTS / "processes"
    """Folder of the results."""


def main(config: ProcessesConfig) -> None:
    """Time each number of processes, see that rows are the same, and write the results."""
    columns = ["processes", "threads", "fastest", "median", "ratio", "n"]
    title = f"ablation of {config.limit} examples, seconds; ratio to {config.processes[0]}"
    benchmark(
        "processes",
        config,
        lambda: measure(config),
        lambda rows: summarise(rows, config.threads),
        lambda _, summary: console.table(summary, columns, title, percent=()),
    )


def measure(config: ProcessesConfig) -> pd.DataFrame:
    """Run everything in turns; one row per number of processes and turn.

    Raises:
        UserError: two numbers of processes do not answer alike.
    """
    found: list[dict[str, float]] = []
    runs = {processes: partial(_timed, config, processes) for processes in config.processes}
    first: pd.DataFrame | None = None
    for turn, processes, (seconds, rows) in turns(runs, config.repeats):
        first = rows if first is None else first
        if not rows.equals(first):
            raise UserError(f"{processes} processes answer otherwise than {config.processes[0]}")
        found.append({"processes": processes, "turn": turn, "seconds": seconds})
    return pd.DataFrame(found)


def summarise(rows: pd.DataFrame, threads: int) -> pd.DataFrame:
    """Seconds of each number of processes, and how many times those of the first number."""
    wide = rows.pivot(index="turn", columns="processes", values="seconds")
    one = wide[rows["processes"].iloc[0]]
    return pd.DataFrame(
        [
            {
                "processes": processes,
                "threads": max(1, threads // int(processes)),
                "fastest": wide[processes].min(),
                "median": wide[processes].median(),
                **spread("ratio", wide[processes] / one),
                "n": len(wide),
            }
            for processes in wide
        ]
    )


def _timed(config: ProcessesConfig, processes: int) -> tuple[float, pd.DataFrame]:
    """Run the ablation once: seconds of the clock, and its rows."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        began = time.perf_counter()
        _run(config, processes, out)
        seconds = time.perf_counter() - began
        return seconds, pd.read_parquet(out / ROWS, columns=["example", "intervention", "text"])


def _run(config: ProcessesConfig, processes: int, out: Path) -> None:
    """Run the ablation once, as a user does."""
    flags = {"limit": config.limit, "batch-size": config.batch_size, "processes": processes}
    line = [sys.executable, "-m", "latentlab.ablate", "--out", str(out)]
    line += [part for name, value in flags.items() for part in (f"--{name}", str(value))]
    environment = {**os.environ, "OMP_NUM_THREADS": str(config.threads)}
    subprocess.run(line, env=environment, check=True, capture_output=True)


if __name__ == "__main__":
    start(ProcessesConfig, main)

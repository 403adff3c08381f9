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
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import tyro

from latentlab import console
from latentlab.errors import UserError
from latentlab.study.provenance import Start, provenance
from latentlab.study.results import ROWS, check_out, write_results

COMMAND = "benchmark-processes"


@dataclass(frozen=True, kw_only=True)
class ProcessesConfig:
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

    out: Path = Path("results") / COMMAND
    """Folder of the results."""


def main(config: ProcessesConfig) -> None:
    """Time each number of processes, see that rows are the same, and write the results."""
    started = Start()
    check_out(config.out, config, COMMAND)
    rows = pd.DataFrame(_timed(config))
    of = rows.groupby("processes")["seconds"]
    summary = pd.DataFrame({"fastest": of.min(), "median": of.median(), "n": of.size()})
    shared = [max(1, config.threads // processes) for processes in summary.index]
    summary = summary.reset_index().assign(threads=shared)
    record = provenance(config, COMMAND, 0, {}, started)
    out = write_results(config.out, rows, summary, record)
    columns = ["processes", "threads", "fastest", "median", "n"]
    console.table(summary, columns, f"ablation of {config.limit} examples, seconds", percent=())
    console.show(f"Rows, summary and settings are in {out}.")


def _timed(config: ProcessesConfig) -> list[dict[str, float]]:
    """Run everything in turns."""
    found: list[dict[str, float]] = []
    with TemporaryDirectory() as folder:
        first: pd.DataFrame | None = None
        for turn in range(config.repeats):
            for processes in config.processes:
                out = Path(folder) / f"{processes}-{turn}"
                began = time.perf_counter()
                _run(config, processes, out)
                seconds = time.perf_counter() - began
                found.append({"processes": processes, "turn": turn, "seconds": seconds})
                rows = pd.read_parquet(out / ROWS, columns=["example", "intervention", "text"])
                first = rows if first is None else first
                if not rows.equals(first):
                    raise UserError(f"{processes} processes answer otherwise than one")
    return found


def _run(config: ProcessesConfig, processes: int, out: Path) -> None:
    """Run the ablation once, as a user does."""
    flags = {"limit": config.limit, "batch-size": config.batch_size, "processes": processes}
    line = [sys.executable, "-m", "latentlab.ablate", "--out", str(out)]
    line += [part for name, value in flags.items() for part in (f"--{name}", str(value))]
    environment = {**os.environ, "OMP_NUM_THREADS": str(config.threads)}
    subprocess.run(line, env=environment, check=True, capture_output=True)


if __name__ == "__main__":
    try:
        main(tyro.cli(ProcessesConfig, description=__doc__))
    except UserError as error:
        console.fail(str(error))
        sys.exit(2)

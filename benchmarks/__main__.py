"""Every benchmark, and one table of what they found.

    python -m benchmarks
    python -m benchmarks speed arms

Each runs in a process of its own and leaves rows, summary and settings in `benchmarks/results/`.
Every line of the table is a ratio of two sides that took turns in one run, with its range.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
import tyro

from benchmarks.run import RESULTS, start
from latentlab import console
from latentlab.errors import UserError, did_you_mean

TABLE = "table.csv"

Line = dict[str, Any]


def _line(what: str, against: str, values: "pd.Series[Any]", name: str) -> Line:
    return {
        "what": what,
        "against": against,
        "times": values[name],
        "times_low": values[f"{name}_low"],
        "times_high": values[f"{name}_high"],
        "n": values["n"],
    }


def _speed(summary: pd.DataFrame) -> Iterator[Line]:
    for _, line in summary.iterrows():
        what = f"published loop, {line['size']}, batch {line['batch']}"
        yield _line(f"{what}: time", "engine", line, "seconds_ratio")
        yield _line(f"{what}: memory", "engine", line, "peak_bytes_ratio")


def _memory(summary: pd.DataFrame) -> Iterator[Line]:
    for _, line in summary.iterrows():
        what = f"all attention, {int(line['layers'])} layers"
        yield _line(f"{what}: time", "one row a layer", line, "seconds_ratio")
        yield _line(f"{what}: memory", "one row a layer", line, "peak_bytes_ratio")


def _arms(summary: pd.DataFrame) -> Iterator[Line]:
    for _, line in summary[summary["side"] != "together"].iterrows():
        what = f"{line['arms']} arms, {line['questions']} question: {line['side']}"
        yield _line(what, "together", line, "ratio")


def _precision(summary: pd.DataFrame) -> Iterator[Line]:
    for _, line in summary[summary["side"] != "float32"].iterrows():
        yield _line(f"{line['model']} in {line['side']}: time", "float32", line, "time")


def _growth(summary: pd.DataFrame) -> Iterator[Line]:
    for _, line in summary.iterrows():
        told = f"{line['counted']:.2f} on paper"
        yield _line(f"exponent of time in {line['size']}", told, line, "exponent")


def _training(summary: pd.DataFrame) -> Iterator[Line]:
    for _, line in summary[summary["side"] != summary["against"]].iterrows():
        yield _line(
            f"training, {line['part']}: {line['side']}", str(line["against"]), line, "ratio"
        )


def _small(summary: pd.DataFrame) -> Iterator[Line]:
    for _, line in summary[summary["stage"] == "all"].iterrows():
        what = f"{line['model']}, batch {line['batch']}"
        yield _line(f"{what}: engine", "transformers alone", line, "over_floor")
        yield _line(f"{what}: all attention kept", "engine", line, "over_plain")


LINES: dict[str, Callable[[pd.DataFrame], Iterator[Line]]] = {
    "speed": _speed,
    "memory": _memory,
    "arms": _arms,
    "precision": _precision,
    "growth": _growth,
    "training": _training,
    "small": _small,
}
"""How the summary of each benchmark becomes lines of the table."""


@dataclass(frozen=True, kw_only=True)
class AllConfig:
    """Flags."""

    names: tyro.conf.Positional[tuple[str, ...]] = tuple(LINES)
    """Benchmarks to run, by default all."""

    def __post_init__(self) -> None:
        """Refuse what is no benchmark."""
        for name in self.names:
            if name not in LINES:
                raise UserError(f"no benchmark is called {name!r}; {did_you_mean(name, LINES)}")


def main(config: AllConfig) -> None:
    """Run them, one after the other so that none disturbs another, and show the table."""
    lines: list[Line] = []
    for name in config.names:
        console.note(f"python -m benchmarks.{name}")
        out = RESULTS / name
        command = [sys.executable, "-m", f"benchmarks.{name}", "--out", str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UserError(f"benchmarks.{name} failed: {done.stderr.strip().splitlines()[-1]}")
        lines += LINES[name](pd.read_csv(out / "summary.csv"))
    table = pd.DataFrame(lines)
    table.to_csv(RESULTS / TABLE, index=False)
    console.table(
        table,
        {"what": "what", "against": "beside", "times": "times", "n": "n"},
        "Ratios of sides that took turns in one run; medians and ranges",
    )
    console.show(f"Rows, summaries and settings are in {RESULTS}.")


if __name__ == "__main__":
    start(AllConfig, main)

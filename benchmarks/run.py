"""The frame of a benchmark: its common flags, and what happens around its measurement.

A benchmark says what it measures, how it summarises and what it shows. The frame refuses a folder
that holds other results before the long work starts, and leaves rows, summary and settings in
`benchmarks/results/<name>`.
"""

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import torch
import tyro

from latentlab import console
from latentlab.errors import UserError
from latentlab.settled import settle
from latentlab.study.provenance import Start, provenance
from latentlab.study.results import check_out, write_results

RESULTS = Path("benchmarks") / "results"
"""Folder of all results, seen from the root of the repository."""

Config = TypeVar("Config")


@dataclass(frozen=True, kw_only=True)
class Flags:
    """What every benchmark can be told."""

    threads: int = 1
    """CPU threads; processor time counts them all."""

    out: Path = RESULTS
    """Folder of the results."""

    def __post_init__(self) -> None:
        """Refuse sizes that are none.

        Raises:
            UserError: a number is below 1, or a list is empty.
        """
        for field in fields(self):
            value = getattr(self, field.name)
            values = value if isinstance(value, tuple) else (value,)
            if not values or any(isinstance(one, int) and one < 1 for one in values):
                flag, must = field.name.replace("_", "-"), "must be" if values else "must name"
                raise UserError(f"--{flag} {must} at least 1")


def benchmark(
    name: str,
    config: Flags,
    measure: Callable[[], pd.DataFrame],
    summarise: Callable[[pd.DataFrame], pd.DataFrame],
    show: Callable[[pd.DataFrame, pd.DataFrame], None],
) -> None:
    """Measure, write the results and show them.

    Args:
        name: what the benchmark is called.
        config: its flags.
        measure: the measurement, which returns its rows.
        summarise: turns rows into lines.
        show: puts rows and lines on the screen.

    Raises:
        UserError: `--out` holds something else, or cannot be written.
    """
    started, command = Start(), f"benchmark-{name}"
    check_out(config.out, config, command)
    before = torch.get_num_threads()
    torch.set_num_threads(config.threads)
    try:
        rows = measure()
    finally:
        torch.set_num_threads(before)
    summary = summarise(rows)
    record: dict[str, Any] = provenance(config, command, 0, {}, started)
    write_results(config.out, rows, summary, record)
    show(rows, summary)
    console.show(f"Rows, summary and settings are in {config.out}.")


def start(config_class: type[Config], main: Callable[[Config], None]) -> None:
    """Read the command line and run; what the user can mend ends in one line and exit code 2."""
    try:
        description = inspect.getdoc(sys.modules[config_class.__module__])
        config = tyro.cli(config_class, description=description)
        settle()
        main(config)
    except UserError as error:
        console.fail(str(error))
        sys.exit(2)

"""What the page of one's own runs is made of, and what would make it more.

The page of the embedded models asks for known studies; this one takes what is there.
"""

import csv
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from latentlab.errors import UserError
from latentlab.report.config import FIGURES, ReportConfig
from latentlab.report.gallery import Exhibit, read_gallery
from latentlab.report.overview import COMMANDS
from latentlab.report.overview_runs import OwnRun, is_run, own_runs

MODEL = "model"
"""Column of a figure's numbers that says whose they are."""


@dataclass(frozen=True)
class OwnPage:
    """The parts of a page about one's own runs."""

    runs: list[OwnRun]
    """What was run, in the order of the page."""

    exhibits: list[Exhibit]
    """Tables and figures of these models."""

    lacking: list[tuple[str, str]]
    """Parts without results, each with the command that makes them."""

    @property
    def recorded(self) -> OwnRun | None:
        """The run whose answers the viewer shows."""
        return next((run for run in self.runs if run.command == "trace"), None)


def own_page(config: ReportConfig) -> OwnPage:
    """Everything that is there of the models asked for.

    Raises:
        UserError: there is nothing.
    """
    runs = own_runs(config.places, config.model, config.data)
    if not runs:
        where = " and ".join(map(str, config.places))
        whose = f" of {', '.join(config.model)}" if config.model else ""
        asked = f" on {config.data}" if config.data else ""
        commands = "; ".join(command_line(name, config) for name in COMMANDS)
        raise UserError(f"no results{whose}{asked} in {where}: run {commands}")
    models = {name for run in runs for name in run.results.run["checkpoints"]}
    exhibits = read_gallery(config.figures)
    if config.figures == FIGURES:
        exhibits = [one for one in exhibits if models & set(_models(config.figures, one.name))]
    alone = is_run(config.results)
    return OwnPage(runs, exhibits, [] if alone else list(_lacking(config, runs, exhibits)))


def command_line(command: str, config: ReportConfig, *more: str) -> str:
    """How a command is told of the same models and data."""
    given = ["--model", *config.model] if config.model else []
    given += ["--data", config.data] if config.data else []
    return shlex.join(["python", "-m", f"latentlab.{command}", *given, *more])


def _lacking(
    config: ReportConfig, runs: Sequence[OwnRun], exhibits: Sequence[Exhibit]
) -> Iterator[tuple[str, str]]:
    """What would make the page more."""
    there = {run.command for run in runs}
    for name, what in (
        ("evaluate", "answers as they are"),
        ("ablate", "answers without latents"),
        ("trace", "single answers, step by step"),
    ):
        if name not in there:
            yield what, command_line(name, config)
    if not exhibits:
        yield "tables and figures", command_line("figures", config, "--run")


def _models(folder: Path, name: str) -> Iterator[str]:
    """The models that the numbers of a figure are of."""
    numbers = folder / f"{name}.csv"
    if numbers.is_file():
        with numbers.open(encoding="utf-8", newline="") as stream:
            yield from {row.get(MODEL) or "" for row in csv.DictReader(stream)}

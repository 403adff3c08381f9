"""One's own runs: whatever results of some models lie in a folder, whoever named it.

Studies of the paper are known by name and settings. What a user ran is not: `ablate --model mine`
leaves `results/ablate`, and the next run another folder. All that is known is in its record, and
that is enough to tell what was run, on what, and what was found.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from latentlab.command import CommonConfig
from latentlab.commands import COMMANDS
from latentlab.console import warn
from latentlab.errors import UserError
from latentlab.figures.experiment import Study
from latentlab.report.runs import ORDER, ToldStudy
from latentlab.study.provenance import RUN
from latentlab.study.results import Results, read_results
from latentlab.version import __version__


@dataclass(frozen=True)
class OwnRun:
    """One results folder."""

    folder: Path
    """Where it is."""

    results: Results
    """What it holds, of the models asked for alone."""

    @property
    def command(self) -> str:
        """The command that made it."""
        return str(self.results.run["command"])

    @property
    def told(self) -> ToldStudy:
        """The run as the page tells it."""
        settings = self.results.run["config"]
        study = Study(self.folder.name, self.command, _config(self.command, settings))
        return ToldStudy(study, self.results, study.command_line(self.folder.parent))


def is_run(folder: Path) -> bool:
    """Whether a folder is a results folder."""
    return (folder / RUN).is_file()


def own_runs(places: Iterable[Path], models: Sequence[str], data: str | None) -> list[OwnRun]:
    """Results of some models, in the order of the page's questions.

    What was made by another version is passed over and named, and so is what an older checkpoint
    of the same name left behind: rows of two models must not stand under one name.

    Args:
        places: results folders, or folders that hold some.
        models: models as they were given to the command, or as rows name them; empty takes all.
        data: what they were asked, as it was given to the command; None takes all.

    Raises:
        UserError: a folder is damaged.
    """
    found: dict[Path, OwnRun] = {}
    for folder in (folder for place in places for folder in _folders(place)):
        if folder.resolve() in found:
            continue
        record = _record(folder)
        names = _names(record, models)
        if names and (data is None or record["config"].get("data") == data):
            found[folder.resolve()] = OwnRun(folder, _only(read_results(folder), names))
    kept = _of_one_checkpoint(list(found.values()))
    return sorted(kept, key=lambda run: (ORDER.index(run.command), str(run.folder)))


def _folders(place: Path) -> list[Path]:
    """The results folders at a place: itself, or those in it."""
    if is_run(place):
        return [place]
    return sorted(child for child in place.glob("*") if is_run(child)) if place.is_dir() else []


def _record(folder: Path) -> dict[str, Any]:
    """The record of a folder whose results can be told here; empty of any other."""
    try:
        record = json.loads((folder / RUN).read_text(encoding="utf-8"))
        known = record["command"] in ORDER and record["config"]["model"] and record["checkpoints"]
        version = record["versions"]["latentlab"]
    except (ValueError, KeyError, TypeError):
        return {}
    if known and version != __version__:
        warn(f"{folder} was made by version {version}, this is {__version__}: passed over")
        return {}
    return record if known else {}


def _names(record: dict[str, Any], models: Sequence[str]) -> list[str]:
    """What rows call those of some models that a run is of."""
    if not record:
        return []
    rows, given = list(record["checkpoints"]), list(record["config"]["model"])
    if not models:
        return rows
    called = {**dict(zip(given, rows, strict=False)), **dict(zip(rows, rows, strict=True))}
    return list(dict.fromkeys(called[model] for model in models if model in called))


def _only(results: Results, names: Sequence[str]) -> Results:
    """Results of some models alone."""
    if len(names) == len(results.run["checkpoints"]):
        return results
    hashes = {name: results.run["checkpoints"][name] for name in names}
    rows, lines = (
        frame[frame["model"].isin(names)].reset_index(drop=True)
        for frame in (results.rows, results.summary)
    )
    return Results(rows, lines, {**results.run, "checkpoints": hashes})


def _of_one_checkpoint(runs: list[OwnRun]) -> list[OwnRun]:
    """Runs without those of checkpoints that a later run knows otherwise under the same name."""
    newest: dict[str, str] = {}
    kept = []
    for run in sorted(runs, key=lambda run: str(run.results.run["started"]), reverse=True):
        hashes = run.results.run["checkpoints"]
        other = [name for name, digest in hashes.items() if newest.get(name, digest) != digest]
        if other:
            warn(f"{run.folder} is of an earlier checkpoint called {other[0]!r}: passed over")
            continue
        newest |= hashes
        kept.append(run)
    return kept


def _config(command: str, settings: dict[str, Any]) -> CommonConfig:
    """The flags of a run, out of its record."""
    kind = COMMANDS[command].config
    known = {field.name for field in fields(kind)} - {"out"}
    given = {name: _tupled(value) for name, value in settings.items() if name in known}
    try:
        config: CommonConfig = replace(kind(), **given)
    except (TypeError, ValueError) as error:
        raise UserError(f"the settings of {command} in {RUN} are damaged: {error}") from error
    return config


def _tupled(value: Any) -> Any:
    """A value as flags hold it: lists in JSON were tuples."""
    return tuple(map(_tupled, value)) if isinstance(value, list) else value

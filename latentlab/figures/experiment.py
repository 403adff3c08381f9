"""What a table or figure needs, and whether the results at hand are that.

A `Study` is one run of a command with its settings; an experiment file names the studies it reads
and makes one table or figure of them. Results are refused where they come from another version or
other settings, or where two of them call different checkpoints by one name: a figure must not mix
models.
"""

import dataclasses
import importlib.util
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from latentlab.command import CommonConfig
from latentlab.commands import COMMANDS
from latentlab.errors import UserError, did_you_mean
from latentlab.figures.artifacts import Drawing, Table
from latentlab.figures.seen import seen
from latentlab.study.provenance import resolve
from latentlab.study.results import Results, read_results
from latentlab.version import __version__

Found = Mapping[str, Results]
"""Results by the name of their study."""

HOW = frozenset(("out", "device", "batch_size", "processes", "dtype", "strict", "wide"))
"""Settings that say how a study was run or shown and not what was asked: figures take them as they
are."""

WHICH = frozenset(("split", "columns"))
"""Settings that go with data of the user's own, of which figures know the name alone."""


@dataclass(frozen=True)
class Study:
    """One run of one command."""

    name: str
    """Name of the results folder."""

    command: str
    """Command, as in `ablate`."""

    config: CommonConfig
    """All settings; `out` is set by where results are kept."""

    subject: bool = True
    """Whether the models and data of a user take the place of those named here. Studies of the
    organisms, whose truth is known, stay as they are."""

    def of(self, model: tuple[str, ...], data: str | None) -> "Study":
        """The same study of other models or data; empty and None keep those named here."""
        if not self.subject:
            return self
        changes: dict[str, Any] = {"model": model} if model else {}
        changes |= {"data": data} if data else {}
        return dataclasses.replace(self, config=dataclasses.replace(self.config, **changes))

    def run(self, results: Path) -> None:
        """Run the command and leave its results in the study's folder."""
        COMMANDS[self.command].main(dataclasses.replace(self.config, out=results / self.name))

    def command_line(self, results: Path) -> str:
        """What a user types to make the results."""
        plain = type(self.config)()
        words = ["python", "-m", f"latentlab.{self.command}"]
        for field in dataclasses.fields(self.config):
            value = getattr(self.config, field.name)
            if field.name == "out" or value == getattr(plain, field.name):
                continue
            words.append("--" + field.name.replace("_", "-"))
            if not isinstance(value, bool):
                words += [str(v) for v in value] if isinstance(value, tuple) else [str(value)]
        return shlex.join([*words, "--out", str(results / self.name)])


@dataclass(frozen=True)
class Experiment:
    """One table or figure."""

    name: str
    """Stem of its files."""

    title: str
    """What it shows, in one line."""

    studies: tuple[Study, ...]
    """What it reads."""

    make: Callable[[Found], Drawing | Table]
    """Makes it, from results alone."""

    part: str = "appendix"
    """Set that it belongs to, `main` or `appendix`: what a paper prints, and the rest."""


def find_experiments(folder: Path, only: Iterable[str] = ()) -> list[Experiment]:
    """The experiments of a folder: every module with `STUDIES` and `make`.

    `PART` says which set it belongs to.

    Args:
        folder: holds one file for each table or figure.
        only: names to take; empty takes all.

    Raises:
        UserError: the folder is not there, or a name is not in it or makes nothing of results.
    """
    if not folder.is_dir():
        raise UserError(f"there are no experiments in {folder}: run this from a checkout")
    modules = {path.stem: path for path in sorted(folder.glob("[!_]*.py"))}
    for name in only:
        if name not in modules:
            raise UserError(f"there is no experiment {name!r}; {did_you_mean(name, modules)}")
    chosen = list(only) or list(modules)
    found = [(name, _import(modules[name])) for name in chosen]
    made = {name: module for name, module in found if hasattr(module, "STUDIES")}
    for name in only:
        if name not in made:
            raise UserError(f"{name} is made of no results: run python {modules[name]}")
    return [
        Experiment(
            name,
            (module.__doc__ or "").partition("\n")[0],
            module.STUDIES,
            module.make,
            getattr(module, "PART", "appendix"),
        )
        for name, module in made.items()
    ]


def missing(studies: Iterable[Study], results: Path) -> list[Study]:
    """Studies without a results folder, each once; `collect` says whether results fit."""
    distinct = {study.name: study for study in studies}
    return [study for study in distinct.values() if not (results / study.name).is_dir()]


def collect(studies: Iterable[Study], results: Path) -> dict[str, Results]:
    """Read the results of some studies and check that they belong together.

    Raises:
        UserError: results are missing, damaged, of another version or of other settings, or two of
            them used different checkpoints under one name.
    """
    found: dict[str, Results] = {}
    hashes: dict[str, tuple[str, str]] = {}
    for study in studies:
        folder = results / study.name
        if not folder.is_dir():
            raise UserError(f"{folder} is missing; make it: {study.command_line(results)}")
        result = read_results(folder)
        _check(study, folder, result, results)
        for model, digest in result.run["checkpoints"].items():
            other, where = hashes.setdefault(model, (digest, study.name))
            if other != digest:
                raise UserError(
                    f"{folder} and {results / where} call different checkpoints {model!r} "
                    f"({digest[:8]} and {other[:8]}): run one of them again"
                )
        found[study.name] = seen(result)
    return found


def _check(study: Study, folder: Path, result: Results, results: Path) -> None:
    """Refuse results that are not those of a study."""
    again = f"choose another --results, or remove it and run {study.command_line(results)}"
    made_by = result.run.get("versions", {}).get("latentlab")
    if made_by != __version__:
        raise UserError(f"{folder} was made by version {made_by}, this is {__version__}: {again}")
    if result.run["command"] != study.command:
        raise UserError(f"{folder} holds results of {result.run['command']}: {again}")
    wanted, got = resolve(study.config), result.run["config"]
    free = HOW if wanted["data"] == CommonConfig.data else HOW | WHICH
    names = sorted((wanted.keys() | got.keys()) - free)
    differing = [name for name in names if wanted.get(name) != got.get(name)]
    if differing:
        name = differing[0]
        raise UserError(
            f"{folder} was made with {name}={got.get(name)!r}, not {wanted.get(name)!r}: {again}"
        )


def _import(path: Path) -> ModuleType:
    """Import one experiment file by its path."""
    spec = importlib.util.spec_from_file_location(f"latentlab_experiment_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

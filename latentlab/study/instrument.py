"""An instrument: how one question is asked of models, from flags to sentences.

An `Instrument` is a value. It says what is prepared, what is run and how rows become lines, tables
and sentences; everything else is the same for all of them and stands here once: finding and
loading models, setting references apart, looking for what would go wrong before anything is run,
writing the results and telling what was found.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any, Generic, TypeVar

import pandas as pd

from latentlab.checkpoint import find_checkpoint
from latentlab.command import CommonConfig
from latentlab.commands import COMMANDS
from latentlab.console import aside, note_once, show, warn
from latentlab.data import Example, Examples
from latentlab.errors import UserError
from latentlab.measures.summary import FEW, by_domain
from latentlab.processes.devices import find_device
from latentlab.processes.group import is_main
from latentlab.reasoner import Reasoner
from latentlab.study.division import Division, divide
from latentlab.study.fitting import cannot_read, lacks_traces
from latentlab.study.models import load_models
from latentlab.study.progress import kept, state_of
from latentlab.study.provenance import Start, checkpoint_hash, provenance
from latentlab.study.results import Results, claimed, write_results
from latentlab.study.understood import remark_on_words

Config = TypeVar("Config", bound=CommonConfig)
Prepared = TypeVar("Prepared")


def refuse(message: str) -> None:
    """What `Subject.lacks` does where the model is the only one.

    Raises:
        UserError: always, with the message.
    """
    raise UserError(message)


def pass_over(message: str) -> None:
    """What `Subject.lacks` does where other models are left: say so once, and go on without."""
    note_once(f"{message}; passed over")


def close(conclusion: Iterable[str], out: Path) -> None:
    """End a command: what was found, and where the rest is."""
    for said in conclusion:
        show(said)
    show(f"Rows, summary and settings are in {out}.")


@dataclass(frozen=True)
class Subject:
    """One model and what it is asked: what an instrument is pointed at."""

    reasoner: Reasoner
    """The model."""

    examples: Examples
    """What it is asked."""

    references: Sequence[Example] = ()
    """Other examples, for means, deviations and donors; none of them is evaluated."""

    lacks: Callable[[str], None] = refuse
    """Told, in one line each, what of the flags the model or the data do not have. Ends the command
    where nothing else was asked for."""

    tell: Callable[[str], None] = note_once
    """Told remarks, in one line each; a command says each of them once."""

    given: str = ""
    """What the flags call the model."""

    models: Mapping[str, Reasoner] = field(default_factory=dict)
    """Every model of the run by what the flags call it, this one among them."""

    @property
    def first(self) -> bool:
        """Whether this is the run's first model, with which remarks about the data are made."""
        return next(iter(self.models.values()), self.reasoner) is self.reasoner


@dataclass(frozen=True)
class Instrument(Generic[Config, Prepared]):
    """One way to question models."""

    name: str
    """Name of the command, as in `ablate`."""

    question: str
    """What it answers, for the report."""

    prepare: Callable[[Config, Subject], Prepared | None]
    """Finds out what of the flags applies to a model and looks for what would only go wrong in the
    middle of a run. What it returns is handed to `rows`; None where there is nothing to do. It is
    called for every model before anything is run, so it does nothing that takes long."""

    rows: Callable[[Config, Subject, Prepared], pd.DataFrame]
    """Runs one model."""

    conclusion: Callable[[Results], list[str]]
    """What was found, in one paragraph a model; made of results alone."""

    tables: Callable[[Results], None]
    """Puts tables on the screen; made of results alone."""

    closing: Callable[[Results, Path], list[str]]
    """How the numbers are to be read, in a line or two; may warn, and write further files."""

    summary: Callable[[pd.DataFrame, int], pd.DataFrame] = by_domain
    """Makes the lines of the tables out of all rows and a seed."""

    references: Callable[[Config], int] = lambda config: 0
    """How many reference examples the flags ask for at most."""

    together: Callable[[Config, Sequence[Subject], pd.DataFrame], pd.DataFrame] = (
        lambda config, subjects, rows: rows
    )
    """Adds to all rows what is measured on all models in turns, once each of them has been run."""

    beside: Callable[[Config], tuple[str, ...]] = lambda config: ()
    """Models to read beside those that `--model` names."""

    def measure(self, config: Config, subject: Subject) -> pd.DataFrame:
        """Prepare and run one model, without a results folder."""
        prepared = self.prepare(config, subject)
        return pd.DataFrame() if prepared is None else self.rows(config, subject, prepared)

    def run(self, config: Config) -> tuple[Results, Path]:
        """Run every model asked for and write the results folder.

        All models are loaded and prepared before anything is run, so that a flag that does not fit
        the last model does not cost the time of the first.

        Returns:
            The results, and the folder that holds them.

        Raises:
            UserError: a model, the data or the output folder cannot be used.
        """
        out = config.folder(self.name)
        with claimed(out, config, self.name):
            return self._run(config, out), out

    def _run(self, config: Config, out: Path) -> Results:
        """The same, in a folder that this run has to itself."""
        started = Start()
        subjects, hashes, division = self._subjects(config)
        prepared = []
        for subject in subjects:
            asked, own = (*subject.examples, *subject.references), subject.given in config.model
            if not own and (unread := cannot_read(subject.reasoner, asked, config.data)):
                pass_over(unread)
            elif lacking := lacks_traces(subject.reasoner, asked):
                subject.lacks(lacking)
            elif (found := self.prepare(config, subject)) is not None:
                prepared.append((subject, found))
        everything = chain(division.evaluated, division.references)
        with kept(out, state_of(config, self.name, hashes, everything)):
            frames = [self.rows(config, subject, found) for subject, found in prepared]
            rows = pd.concat([pd.DataFrame(), *frames], ignore_index=True)
            if rows.empty:
                raise UserError(
                    "nothing is left to do: the flags and the data fit none of the models"
                )
            if (n := len(division.evaluated)) < FEW:
                warn(f"n = {n}: too few examples for intervals to mean much")
            rows = self.together(config, [subject for subject, _ in prepared], rows)
            summary = self.summary(rows, config.seed)
            plans = {one.reasoner.name: one.reasoner.plan.to_dict() for one in subjects}
            record = provenance(config, self.name, config.seed, hashes, started, plans)
            record["left_out"] = division.record
            write_results(out, rows, summary, record)
        return Results(rows, summary, record)

    def main(self, config: Config) -> None:
        """Run, and say what was found and where it is; of several processes the first one does."""
        results, out = self.run(config)
        if not is_main():
            return
        self.tables(results)
        for remark in self.closing(results, out):
            aside(remark)
        close(self.conclusion(results), out)

    def _subjects(self, config: Config) -> tuple[list[Subject], dict[str, str], Division]:
        """The models and what they are asked, the hash of each checkpoint by its name, the data."""
        device = str(find_device(config.device))
        given = (*config.model, *self.beside(config))
        folders = [find_checkpoint(name) for name in given]
        division = divide(config, self.references(config))
        evaluated, references = division.evaluated, division.references
        reasoners = load_models(config, device, self.beside(config))
        short = [reasoner.name for reasoner in reasoners]
        # Where two folders are called alike, rows say what the user wrote.
        names = short if len(set(short)) == len(short) else list(given)
        for reasoner, name in zip(reasoners, names, strict=True):
            reasoner.name = name
        lacks = refuse if len(given) == 1 else pass_over
        models = dict(zip(given, reasoners, strict=True))
        subjects = [
            Subject(reasoner, evaluated, references, lacks, given=name, models=models)
            for name, reasoner in models.items()
        ]
        for one in subjects:
            if one.given in config.model:
                remark_on_words(one.reasoner.prompter, evaluated, one.reasoner.name, config.data)
        hashes = {name: checkpoint_hash(f) for name, f in zip(names, folders, strict=True)}
        return subjects, hashes, division


def instrument(name: str) -> Instrument[Any, Any]:
    """The instrument that is registered under the name of a command.

    Raises:
        KeyError: there is no such command, or it is no instrument.
    """
    if COMMANDS[name].work != "instrument":
        raise KeyError(f"{name} is no instrument")
    found: Instrument[Any, Any] = import_module(f"latentlab.{name}.instrument").INSTRUMENT
    return found


def instruments() -> list[str]:
    """Names of the commands that are instruments."""
    return [name for name, command in COMMANDS.items() if command.work == "instrument"]

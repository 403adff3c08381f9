"""What every study command does around its rows: load, check, run, summarise, write.

A command says what it does with one model; everything else is the same for all of them and stands
here, so that results of different commands can be laid side by side.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from latentlab.checkpoint import find_checkpoint, load
from latentlab.command import CommonConfig, find_device
from latentlab.console import note, warn
from latentlab.data import Example, Examples, load_data
from latentlab.errors import UserError
from latentlab.measures.summary import FEW, summarise
from latentlab.provenance import checkpoint_hash, provenance
from latentlab.reasoner import Reasoner
from latentlab.results import Results, check_out, write_results

RowsOf = Callable[[Reasoner, Examples], pd.DataFrame]
"""Runs one model."""

Check = Callable[[Reasoner, Examples], None]
"""Raises `UserError` where the flags do not fit a model or the data."""

Summary = Callable[[pd.DataFrame, int], pd.DataFrame]
"""Makes the lines of the tables out of all rows and a seed."""

FEWEST = 2
"""References that a deviation takes at least."""

KEEP_BYTES = 2**30
"""Pictures are kept in memory up to this many bytes."""


def by_domain(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The usual lines, each with the arm that it goes with and its positions.

    They are over all examples, and by domain, topic, number of hops and type of question.
    """
    arm = ["model", "intervention"]
    facts = rows[[*arm, "control_of", "positions"]].drop_duplicates()
    lines = summarise(rows, also=("hops", "question_type"), seed=seed)
    return lines.merge(facts, on=arm, how="left")


@dataclass(frozen=True)
class Division:
    """Examples of a study: none is both evaluated and a reference."""

    evaluated: Examples
    """What models are asked."""

    references: Examples
    """What means, deviations and donors are taken from."""


def divide(data: str, seed: int, limit: int, most: int) -> Division:
    """Set references apart from what is evaluated, the same ones at every call.

    They are the examples after the limit. Where the data have none, they are of another split;
    where there is none, the last quarter of the examples is held back. The latter two are told.

    Args:
        data: the spec of the data.
        seed: seed of what is generated.
        limit: examples to evaluate at most.
        most: references at most; 0 divides nothing.

    Raises:
        UserError: there are fewer than three examples, two for reference and one to evaluate.
    """
    whole = load_data(data, seed=seed)
    evaluated = whole[:limit]
    if not most or len(whole) >= limit + FEWEST:
        return Division(evaluated, Kept(whole[limit : limit + most]))
    asked = {example.id for example in evaluated}
    for split in ("validation", "train"):
        others = load_data(data, split, seed, most)
        # Data without that split, or with a spec that names one, give the same examples again.
        if len(others) >= FEWEST and not any(example.id in asked for example in others):
            note(f"{data}: references are {len(others)} examples of the {split} split")
            return Division(evaluated, Kept(others))
    held = min(most, max(FEWEST, len(whole) // 4))
    left = len(whole) - held
    if left < 1:
        raise UserError(
            f"{data} has {len(whole)} examples, but this takes two for reference and one to "
            "evaluate at least"
        )
    note(f"{data}: the last {held} of {len(whole)} examples are references and not evaluated")
    return Division(whole[: min(left, limit)], Kept(whole[left:]))


def run_study(
    config: CommonConfig,
    command: str,
    rows_of: RowsOf,
    check: Check | None = None,
    summary_of: Summary = by_domain,
    beside: tuple[str, ...] = (),
    pass_over: bool = True,
    division: Division | None = None,
) -> tuple[Results, Path]:
    """Run a study on every model asked for and write its results folder.

    All models are loaded and checked before anything is run, so that a flag that does not fit the
    last model does not cost the time of the first.

    Args:
        config: the flags.
        command: name of the command.
        rows_of: what the study does with one model.
        check: looks for what would go wrong; called for every model first.
        summary_of: makes the summary.
        beside: further models that the command reads.
        pass_over: whether models that need traces which the data lack are passed over with a
            remark, as long as others are left. A command that says no sees to it in `check`.
        division: what to ask, and the references that go with it; without, the first of the data
            are asked, as many as the flags say.

    Returns:
        The results, and the folder that holds them.

    Raises:
        UserError: a model, the data or the output folder cannot be used.
    """
    started = datetime.now(UTC)
    out = config.folder(command)
    check_out(out, config, command)
    device = str(find_device(config.device))
    given = (*config.model, *beside)
    folders = [find_checkpoint(name) for name in given]
    division = division or divide(config.data, config.seed, config.limit, 0)
    examples = Kept(division.evaluated)
    for asked in (examples, division.references):
        check_examples(asked)
    reasoners = [load(name, device) for name in given]
    names = _distinct_names(given, reasoners)
    chosen = []
    for reasoner, name in zip(reasoners, names, strict=True):
        reasoner.name = name
        lacking = _lacks_traces(reasoner, examples) or _lacks_traces(reasoner, division.references)
        if pass_over and lacking:
            if len(given) == 1:
                raise UserError(lacking)
            note(f"{lacking}; passed over")
            continue
        if check is not None:
            check(reasoner, examples)
        chosen.append(reasoner)
    found = [rows_of(reasoner, examples) for reasoner in chosen]
    rows = pd.concat([pd.DataFrame(), *found], ignore_index=True)
    if rows.empty:
        raise UserError("nothing is left to do: the flags and the data fit none of the models")
    if len(examples) < FEW:
        warn(f"n = {len(examples)}: too few examples for intervals to mean much")
    summary = summary_of(rows, config.seed)
    hashes = {name: checkpoint_hash(folder) for name, folder in zip(names, folders, strict=True)}
    record = provenance(config, command, config.seed, hashes, started)
    return Results(rows, summary, record), write_results(out, rows, summary, record)


def _lacks_traces(reasoner: Reasoner, examples: Examples) -> str:
    """Which example lacks the trace that a model takes its picks from; empty where none does."""
    if reasoner.plan.steps and reasoner.plan.select == "given":
        for i in range(len(examples)):
            if examples[i].trace is None:
                name, example = reasoner.name, examples[i].id
                return f"{name} is given its picks, but {example} has no trace to take them from"
    return ""


class Kept(Examples):
    """Examples that are made once, as long as their pictures fit into memory.

    A study goes through its examples once for each model, and drawing or decoding a picture may
    cost more than a small model's answer to it.
    """

    def __init__(self, source: Examples, limit: int = KEEP_BYTES) -> None:
        """Keep nothing yet."""
        self._source = source
        self._left = limit
        self._kept: dict[int, Example] = {}

    def __len__(self) -> int:
        """Number of examples."""
        return len(self._source)

    def make(self, index: int) -> Example:
        """Return the kept example at `index`, or make it."""
        if index in self._kept:
            return self._kept[index]
        example = self._source[index]
        size = 3 * example.image.width * example.image.height if example.image else 0
        if size <= self._left:
            self._left -= size
            self._kept[index] = example
        return example


def check_examples(examples: Examples) -> None:
    """Open every example, and refuse one whose answer cannot be told right from wrong.

    Raises:
        UserError: an example has no choices or no known answer, or its picture cannot be read.
    """
    for i in range(len(examples)):
        example = examples[i]
        if not (example.choices and example.answer):
            lacking = "choices" if not example.choices else "known answer"
            raise UserError(
                f"example {example.id} has no {lacking}, so an answer to it cannot be scored"
            )


def fewest_patches(reasoner: Reasoner, examples: Examples) -> tuple[int, str]:
    """How many patches the smallest picture has for a model, and which example's it is.

    An example without a picture has none.
    """
    of_size: dict[tuple[int, int], int] = {}
    fewest: list[tuple[int, str]] = []
    for i in range(len(examples)):
        example = examples[i]
        if example.image is None:
            return 0, example.id
        if example.image.size not in of_size:
            ((rows, columns),) = reasoner.backbone.prepare_images([example.image]).grids
            of_size[example.image.size] = rows * columns
            fewest.append((rows * columns, example.id))
    return min(fewest)


def _distinct_names(given: tuple[str, ...], reasoners: list[Reasoner]) -> list[str]:
    """Short names for the rows; where two folders are called alike, what the user wrote."""
    short = [reasoner.name for reasoner in reasoners]
    return short if len(set(short)) == len(short) else list(given)

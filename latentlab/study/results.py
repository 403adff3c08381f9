"""The folder that a command leaves behind, and the rules that keep it trustworthy.

A folder holds three files: `rows.parquet` (one row per example and intervention), `summary.csv`
(what the tables show, derived from the rows) and `run.json` (where it all comes from). It appears
complete or not at all, and it never replaces results that another command or other settings made.
"""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from latentlab.errors import UserError
from latentlab.files import held, write_folder
from latentlab.measures.summary import ARM_FACTS
from latentlab.processes import group as processes
from latentlab.study.provenance import resolve
from latentlab.study.record import RUN, read_record

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ROWS, SUMMARY = "rows.parquet", "summary.csv"

PREDICTIONS = "predictions.jsonl"
"""Replies in the M3CoT project's layout, which the evaluator leaves beside them."""

_DAMAGE = (OSError, ValueError, TypeError, KeyError, pa.ArrowException)
"""What pandas and pyarrow raise where a file is not what it was: bytes that were changed (the first
two), cells of another kind, and a Parquet file whose description lacks a field."""

PAIRS, CLAIMS = "pairs.csv", "claims.csv"
"""Paired differences and what they say to claims of papers, which the comparison leaves there."""

_TEXT = [
    "against",
    "query",
    "key",
    *(name for name in ARM_FACTS if name not in ("strength", "draws")),
]
"""Columns of text that may be empty in a summary."""


@dataclass(frozen=True)
class Results:
    """What a command left behind."""

    rows: pd.DataFrame
    """One row per example and intervention."""

    summary: pd.DataFrame
    """The lines of the tables, derived from `rows`."""

    run: dict[str, Any]
    """The record that `provenance` made."""

    def _repr_html_(self) -> str:
        """Show what was run and the main lines in a notebook."""
        from latentlab.notebook import results_html  # only notebooks need it

        return results_html(facts(self), self.summary)


def facts(results: Results) -> dict[str, str]:
    """What was run on what: models, data, n, seed, versions and where it was computed."""
    run = results.run
    config, git = run["config"], run.get("git")
    revision = "no checkout"
    if git:
        revision = git["commit"][:10] + (", edited since" if git["dirty"] else "")
    hashes = run["checkpoints"].items()
    n = results.rows["example"].nunique() if "example" in results.rows else len(results.rows)
    return {
        "command": str(run["command"]),
        "models": ", ".join(f"{name} ({digest[:10]})" for name, digest in hashes),
        "data": str(config.get("data", "")),
        "questions": f"{n:,}",
        "seed": str(run["seed"]),
        "versions": ", ".join(f"{name} {number}" for name, number in run["versions"].items()),
        "revision": revision,
        "machine": f"{run['platform']['system']}, {run['platform']['cpus']} CPUs",
        "began": str(run["started"]),
        "took": f"{run['seconds']:,.0f} s",
    }


@contextmanager
def claimed(out: Path, config: "DataclassInstance", command: str) -> Iterator[None]:
    """Have a folder for results to oneself, checked before the long work starts.

    Of several processes the first one has it.

    Raises:
        UserError: Another run writes there, or `check_out` refuses it.
    """
    if not processes.is_main():
        yield
        return
    with held(out):
        check_out(out, config, command)
        yield


def check_out(out: Path, config: "DataclassInstance", command: str) -> None:
    """Refuse a folder that `write_results` would refuse later, before the long work starts.

    Raises:
        UserError: `out` holds something else, or cannot be created.
    """
    _check_free(out, command, resolve(config))


def write_results(
    out: Path, rows: pd.DataFrame, summary: pd.DataFrame, run: dict[str, Any]
) -> Path:
    """Write the three files at once.

    They are written to a folder next to `out` that takes its place in one step when it is
    complete, so whatever ends the process leaves `out` as it was. Files of `out` that are not of
    the three stay where they are. Of several processes the first one writes.

    Args:
        out: The folder; it is created, or replaced if the same command with the same settings
            made it.
        rows: See `Results`.
        summary: See `Results`.
        run: What `provenance` returns.

    Returns:
        `out`.

    Raises:
        UserError: `out` holds something else, or cannot be created or written.
    """
    if not processes.is_main():
        return out
    _check_free(out, run["command"], run["config"])

    def write(fresh: Path) -> None:
        rows.to_parquet(fresh / ROWS, index=False)
        summary.to_csv(fresh / SUMMARY, index=False)
        (fresh / RUN).write_text(json.dumps(run, indent=2, allow_nan=False) + "\n")

    write_folder(out, write, own=(ROWS, SUMMARY, RUN))
    return out


def read_results(folder: Path) -> Results:
    """Read back what `write_results` wrote.

    Raises:
        UserError: `folder` is not there, or one of the three files is missing or damaged.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is no results folder: run the command that makes it first")
    for name in (ROWS, SUMMARY, RUN):
        if not (folder / name).is_file():
            raise UserError(f"{folder} is no complete results folder: {name} is missing")
    try:
        rows = pd.read_parquet(folder / ROWS)
        # Only an empty field is a missing value: a topic may well be called "None" or "NA".
        # Steps are named by text, were they all of one number.
        # The `control` of probes is a number.
        text: dict[str, type] = dict.fromkeys((n for n in _TEXT if n != "control"), str)
        summary = pd.read_csv(folder / SUMMARY, keep_default_na=False, na_values=[""], dtype=text)
        summary = _typed(summary)
    except _DAMAGE as error:
        if isinstance(error, OSError) and error.errno:  # the system speaks, not pyarrow
            raise UserError(f"{folder} cannot be read: {error.strerror}") from error
        raise UserError(f"{folder} is damaged: {str(error) or type(error).__name__}") from error
    return Results(rows, summary, _read_run(folder))


def _typed(summary: pd.DataFrame) -> pd.DataFrame:
    """Give the summary back what a CSV file does not keep.

    Steps and layers are whole numbers, but read back as 1.0 where some line has none; and an empty
    text, which stands for "compared with nothing" and the like, reads back as missing.
    """
    for name in summary:
        if f"{name}_low" in summary and summary[name].dtype.kind not in "fiu":
            raise ValueError(f"{SUMMARY} has texts among the numbers of {name}")
    whole = [name for name in ("step", "layer", "n_positions") if name in summary]
    whole = [name for name in whole if summary[name].dtype.kind == "f"]
    empty = [
        name
        for name in _TEXT
        if name in summary and (summary[name].dtype.kind != "f" or summary[name].isna().all())
    ]
    summary = summary.astype(dict.fromkeys(empty, object))
    return summary.astype(dict.fromkeys(whole, "Int64")).fillna(dict.fromkeys(empty, ""))


def _read_run(folder: Path) -> dict[str, Any]:
    """The record in `folder`."""
    try:
        return read_record(folder)
    except UserError as error:
        raise UserError(f"{error}: it is damaged, remove the folder or restore it") from None


def _check_free(out: Path, command: str, config: dict[str, Any]) -> None:
    """Raise unless results can be put at `out`."""
    try:
        _refuse_other(out, command, config)
        target = out.resolve()
        probe = target.with_name(f".{target.name}.{os.getpid()}.new")
        # Only a folder that is made shows that one can be: names, rights, disks, quotas.
        probe.mkdir(parents=True, exist_ok=True)
        probe.rmdir()
        if out.is_dir() and not os.access(out, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise UserError(f"{out} cannot be created: {error.strerror}") from error


def _refuse_other(out: Path, command: str, config: dict[str, Any]) -> None:
    """Raise unless `out` is free, or holds results of the same command and settings."""
    way_out = "choose another --out or remove it"
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file, not a folder for results: {way_out}")
    if out.is_dir() and any(out.iterdir()):
        if not (out / RUN).is_file():
            raise UserError(f"{out} holds files that are no results of ours: {way_out}")
        other = _read_run(out)
        if other["command"] != command:
            raise UserError(f"{out} holds the results of {other['command']}: {way_out}")
        differing = _differing(other["config"], config)
        if differing:
            raise UserError(
                f"{out} holds results of {command} with other settings "
                f"({', '.join(differing)}): {way_out}"
            )


def _differing(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Names of the settings that differ, and not only in where, by whom or how wide it is shown."""
    names = sorted((one.keys() | other.keys()) - {"out", "processes", "wide"})
    return [name for name in names if one.get(name) != other.get(name)]

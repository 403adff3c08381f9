"""Finds the table of a split in a file or folder, whichever of the known layouts it has.

These are a file on its own; a folder that `datasets` saved; ScienceQA's `problems.json`; and files
of tables that are named after their split, or lie in a folder that is, also in a folder `data`:
`data/test.jsonl`, `data/test-00000-of-00002.parquet`, `test/part.csv`. A folder with one table
alone has no splits.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from latentlab.data.scienceqa import PROBLEMS, problems_table
from latentlab.data.splits import KNOWN, choose_split
from latentlab.data.stored import parquet_table, saved_table
from latentlab.data.tables import Table, text_table
from latentlab.errors import UserError, did_you_mean

PARQUET = ".parquet"
SUFFIXES = (PARQUET, ".jsonl", ".csv", ".tsv")
"""Files of tables, each preferred to the next where a folder holds several kinds."""

_SAVED = ("dataset_dict.json", "state.json")
"""Files by which a folder is known to be saved by `datasets`."""


def open_table(path: Path, split: str) -> Table:
    """The rows of a split.

    Args:
        path: A file, or a folder in one of the known layouts.
        split: Which part of it, by any of the names in `splits`.

    Raises:
        UserError: There is no such split, nothing that could be read, or more than one thing.
    """
    if path.is_file():
        if path.suffix not in SUFFIXES:
            hint = did_you_mean(path.suffix, SUFFIXES)
            raise UserError(f"{path}: tables of the kind {path.suffix!r} are not read; {hint}")
        return _table([path], (path.parent,))
    if (path / PROBLEMS).is_file():
        return problems_table(path, split)
    if any((path / name).is_file() for name in _SAVED):
        return saved_table(path, split)
    splits = _by_split(path)
    if splits:
        files = splits[choose_split(str(path), split, list(splits))]
    else:
        files = next((found for folder in _places(path) if (found := _tables(folder))), [])
    if not files:
        raise UserError(f"{path} holds no data that is read: no {', '.join(SUFFIXES)} file")
    if files[0].suffix != PARQUET and len(files) > 1:
        names = ", ".join(file.name for file in files[:3])
        raise UserError(f"{path} holds several tables ({names}): name the one that is meant")
    return _table(files, (path, *_places(path)[1:], files[0].parent))


def _table(files: Sequence[Path], folders: tuple[Path, ...]) -> Table:
    if files[0].suffix == PARQUET:
        return parquet_table(files, folders)
    return text_table(files[0], folders)


def _places(path: Path) -> tuple[Path, Path]:
    return path, path / "data"


def _tables(folder: Path) -> list[Path]:
    """The tables of a folder in the order of their names, of one kind only."""
    if not folder.is_dir():
        return []
    files = sorted(file for file in folder.iterdir() if file.suffix in SUFFIXES)
    kinds = (kind for kind in SUFFIXES if any(file.suffix == kind for file in files))
    kind = next(kinds, "")
    return [file for file in files if file.suffix == kind and file.is_file()]


def _by_split(path: Path) -> dict[str, list[Path]]:
    """The tables of each split, by the name that it has there."""
    for folder in _places(path):
        found: dict[str, list[Path]] = {}
        for file in _tables(folder):
            name = file.stem.partition("-")[0]
            if name in KNOWN:
                found.setdefault(name, []).append(file)
        found |= {name: files for name in KNOWN if (files := _tables(folder / name))}
        if found:
            return found
    return {}

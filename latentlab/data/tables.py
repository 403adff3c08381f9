"""Tables of data: rows that know where they stand, read from JSON lines, CSV and TSV.

A row that cannot be read is left out with its line, and the rows after it are read all the same.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentlab.data.leftout import LeftOut
from latentlab.errors import UserError
from latentlab.schema import read_json

_SEPARATORS = {".csv": ",", ".tsv": "\t"}


@dataclass(frozen=True)
class Row:
    """One row as it stands in its file."""

    where: str
    """File and line, for messages."""

    name: str
    """What the row is called where it has no id: the file's name and the row's number."""

    values: dict[str, Any]
    """Values by column."""


@dataclass(frozen=True)
class Table:
    """Rows of one split."""

    name: str
    """What messages call it."""

    columns: tuple[str, ...]
    """Columns that any of its rows has."""

    rows: Callable[[LeftOut], Iterable[Row]]
    """Reads the rows; those that cannot be read are left out."""

    folders: tuple[Path, ...] = ()
    """Where the pictures that it names lie; the first holds everything."""


def text_table(file: Path, folders: tuple[Path, ...] = ()) -> Table:
    """The table in a `.jsonl`, `.csv` or `.tsv` file.

    Args:
        file: The file.
        folders: Where its pictures lie; by default in the folder of the file.

    Raises:
        UserError: The file cannot be opened, or a CSV or TSV file has no sound header.
    """
    folders = folders or (file.parent,)
    if file.suffix not in _SEPARATORS:
        lines = _lines(file)
        objects = (value for line in lines if isinstance(value := _parsed(line), dict))
        columns = tuple(dict.fromkeys(name for value in objects for name in value))
        return Table(str(file), columns, lambda left: _json_rows(file, lines, left), folders)
    with _opened(file) as reader:
        header: list[str] = next(reader, [])
    if twice := [name for name, count in Counter(header).items() if count > 1]:
        raise UserError(f"{file}, line 1: two columns are called {twice[0]!r}")
    if not any(header):
        raise UserError(f"{file}, line 1: names no columns")
    return Table(str(file), tuple(header), lambda left: _csv_rows(file, header, left), folders)


def _lines(file: Path) -> list[bytes]:
    try:
        _check_regular(file)
        return file.read_bytes().split(b"\n")
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error})") from error


def _check_regular(file: Path) -> None:
    """Refuse a pipe, which would be waited for without end."""
    if not (file.is_file() or file.is_dir()):  # a folder is told by opening it
        file.stat()
        raise UserError(f"{file}: cannot be read (it is no regular file)")


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _json_rows(file: Path, lines: list[bytes], left: LeftOut) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{file}, line {number}"
        try:
            values = read_json(line.decode("utf-8-sig"), where, nan=True)
        except UnicodeDecodeError as error:
            left.add(f"{where}: cannot be read as UTF-8 text ({error})")
        except UserError as error:
            left.add(str(error))
        else:
            if isinstance(values, dict):
                yield Row(where, f"{file.stem}-{number}", values)
            else:
                left.add(f"{where}: must be one JSON object, in braces")


@contextmanager
def _opened(file: Path) -> Iterator[Any]:
    """Open a CSV file; bytes that are no UTF-8 come out as surrogates, to be told row by row."""
    try:
        _check_regular(file)
        stream = file.open(encoding="utf-8-sig", errors="surrogateescape", newline="")
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error})") from error
    with stream:
        yield csv.reader(stream, delimiter=_SEPARATORS[file.suffix], strict=True)


def _csv_rows(file: Path, header: list[str], left: LeftOut) -> Iterator[Row]:
    with _opened(file) as reader:
        next(reader)
        number, last = 0, reader.line_num
        while True:
            first, number = last + 1, number + 1
            where = f"{file}, line {first}"
            try:
                cells = next(reader, None)
            except csv.Error as error:
                if "unexpected end" in str(error):
                    # Whatever stands between is lost, which is more than one example.
                    raise UserError(f"{where}: a quote is opened and never closed") from error
                left.add(f"{where}: {error}")
                last = reader.line_num
                continue
            last = reader.line_num
            if cells is None:
                return
            if not any(cells):
                continue
            if len(cells) != len(header):
                left.add(f"{where}: has {len(cells)} cells for {len(header)} columns")
            elif not "".join(cells).isascii() and _broken(cells):
                left.add(f"{where}: cannot be read as UTF-8 text")
            else:
                values = dict(zip(header, cells, strict=True))
                yield Row(where, f"{file.stem}-{number}", values)


def _broken(cells: list[str]) -> bool:
    """Whether some bytes were no UTF-8."""
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        return True
    return False

"""Which column of a table holds what: `question=q image=img choices=a+b+c+d answer=gold`.

A field that is not mentioned is read from the column of its own name, where there is one. Columns
that nothing is read from are ignored.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from typing import Any

from latentlab.data.images import StoredImage
from latentlab.data.rationale import split_steps
from latentlab.data.records import FIELDS, Record, index_answer, read_record
from latentlab.data.tables import Row, Table
from latentlab.errors import UserError, did_you_mean

ANSWER_INDEX = "answer_index"
"""Field of an answer that is the number of a choice, counted from 0."""

MAPPED = (*FIELDS, ANSWER_INDEX)
"""Fields that a column can be given to."""

_MANY = ("choices", "groups")
_SEPARATORS = ("\n", "|", ";")
"""What divides the choices of one text, tried in this order."""


def parse_columns(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read `field=column` and `field=column+column`.

    Raises:
        UserError: A text is of another form, a field is unknown or given twice, or one that takes
            one column is given several.
    """
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        field, _, columns = text.partition("=")
        if not (field and columns):
            raise UserError(f"--columns: {text!r} is not of the form field=column")
        if field not in MAPPED:
            raise UserError(f"--columns: no field {field!r}; {did_you_mean(field, MAPPED)}")
        if field in found:
            raise UserError(f"--columns: {field} is given twice")
        found[field] = tuple(columns.split("+")) if field in _MANY else (columns,)
    if "answer" in found and ANSWER_INDEX in found:
        raise UserError(f"--columns: give answer or {ANSWER_INDEX}, not both")
    return found


class ColumnReader:
    """Makes records of the rows of one table."""

    def __init__(self, table: Table, columns: Sequence[str]) -> None:
        """Find the column of each field.

        Raises:
            UserError: A column does not exist, or question, choices or answer have none.
        """
        wanted = parse_columns(columns)
        for field, names in wanted.items():
            for name in names:
                if name not in table.columns:
                    hint = did_you_mean(name, table.columns)
                    raise UserError(f"{table.name} has no column {name!r} for {field}; {hint}")
        answered = {"answer", ANSWER_INDEX} & wanted.keys()
        own = {field: (field,) for field in MAPPED if field in table.columns}
        self._columns = {f: c for f, c in own.items() if not (answered and "answer" in f)} | wanted
        for field in ("question", "choices", "answer"):
            if not {field, f"{field}_index"} & self._columns.keys():
                raise UserError(
                    f"{table.name} has no column {field!r}; say which one it is with --columns "
                    f"{field}=NAME; its columns: {', '.join(table.columns)}"
                )

    def __call__(self, row: Row) -> Record:
        """Read one row.

        Raises:
            UserError: A cell is missing or of another kind, or the row contradicts itself.
        """
        cells = {
            field: {name: row.values.get(name) for name in names}
            for field, names in self._columns.items()
        }
        values: dict[str, Any] = {"id": row.name}
        for field, named in cells.items():
            ((name, cell), *_) = named.items()
            if field == "choices":
                values[field] = _choices(named)
            elif field == "groups":
                own = isinstance(cell, dict)  # as `export` writes them
                values[field] = cell if own else {n: _text(c, n) for n, c in named.items()}
            elif field == "rationale":
                parts = _list(cell)
                values[field] = list(split_steps(_text(cell, name)) if parts is None else parts)
            elif field == "image":
                values[field] = cell if isinstance(cell, StoredImage) else _text(cell, name) or None
            elif field == "hops":
                text = _text(cell, name)
                values[field] = int(text) if text.isdecimal() else text or None
            elif field == "trace":
                values[field] = cell
            else:
                values[field] = _text(cell, name)
        if not values["question"]:
            raise UserError("the question is empty")
        if ANSWER_INDEX in values:
            index = values.pop(ANSWER_INDEX)
            values["answer"] = index_answer(index, tuple(values["choices"])) if index else ""
        return read_record(values)


def _text(cell: Any, column: str) -> str:
    """A cell as text; empty for what is missing."""
    if cell is None or cell != cell:  # NaN, by which pandas writes a missing value
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))  # a column of whole numbers with gaps
    if isinstance(cell, (str, int, float)) and not isinstance(cell, bool):
        return str(cell).strip()
    raise UserError(f"column {column!r} holds {type(cell).__name__}, not a text")


def _choices(named: dict[str, Any]) -> list[str]:
    """The choices, out of a column each or all out of one."""
    if len(named) > 1:
        texts = {name: _text(cell, name) for name, cell in named.items()}
        while texts and not texts[list(texts)[-1]]:  # fewer choices than columns
            texts.popitem()
        if empty := [name for name, text in texts.items() if not text]:
            raise UserError(f"column {empty[0]!r} is empty, but a later choice is not")
        return list(texts.values())
    ((name, cell),) = named.items()
    if (parts := _list(cell)) is not None:
        return parts
    text = _text(cell, name)
    for separator in _SEPARATORS:
        if separator in text:
            return [part.strip() for part in text.split(separator) if part.strip()]
    if not text:
        return []
    raise UserError(
        f"column {name!r} holds one choice only ({text!r}); write a list as JSON, divide them by "
        "'|' or ';', or name a column for each: choices=a+b"
    )


def _list(cell: Any) -> list[str] | None:
    """The texts of a list, also of one that is written as JSON or as Python writes it."""
    if isinstance(cell, str) and cell.strip().startswith("["):
        for read in (json.loads, ast.literal_eval):  # neither runs what it reads
            try:
                cell = read(cell.strip())
                break
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                continue
    if not isinstance(cell, (list, tuple)):
        return None
    return [_text(part, "in a list") for part in cell]

"""ScienceQA: school questions from natural, social and language science, with lectures.

Answers are numbers counted from 0. The rationale is the lecture and the solution, which become at
most three steps by the published rule. The hint is the question's context.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from latentlab.data.images import StoredImage, find_inside
from latentlab.data.leftout import LeftOut
from latentlab.data.rationale import split_steps
from latentlab.data.records import Record, index_answer, read_record, text_of, texts_of
from latentlab.data.splits import choose_split
from latentlab.data.tables import Row, Table
from latentlab.errors import UserError
from latentlab.schema import read_file, read_json

HUB = "derek-thomas/ScienceQA"
"""Where the data is on the hub."""

COLUMNS = frozenset({"question", "choices", "answer", "hint", "lecture", "solution", "skill"})
"""By these a table is known to be ScienceQA."""

PROBLEMS = "problems.json"
"""File of all questions in the project's own layout."""

PID_SPLITS = "pid_splits.json"
"""File that says which question is of which split."""

GROUPS = ("subject", "grade", "category", "skill", "task")
"""Columns kept for tables, beside whether there is a hint."""


class ScienceQAReader:
    """Makes records of rows of ScienceQA."""

    def __init__(self, table: Table, all_examples: bool = False) -> None:
        """Read from a table.

        Args:
            table: The rows, of the hub or of the project's `problems.json`.
            all_examples: Whether questions without a picture are asked as well.
        """
        self._table = table
        self._all = all_examples

    def __call__(self, row: Row) -> Record | None:
        """Read one row; None where it has no picture and such are not asked.

        Raises:
            UserError: Something is missing, or contradicts itself.
        """
        values = row.values
        image = self._image(values)
        if image is None and not self._all:
            return None
        choices, hint = texts_of(values, "choices"), text_of(values, "hint", needed=False)
        parts = [text_of(values, name, needed=False) for name in ("lecture", "solution")]
        rationale = " ".join(filter(None, parts)) or str(values.get("answer"))
        groups = {name: text_of(values, name, needed=False) for name in GROUPS}
        return read_record(
            {
                "id": row.name,
                "question": text_of(values, "question"),
                "choices": list(choices),
                "answer": index_answer(values.get("answer"), choices),
                "image": image,
                "rationale": list(split_steps(rationale)),
                "domain": groups["subject"],
                "topic": text_of(values, "topic", needed=False),
                "context": hint,
                "groups": groups | {"hint": "yes" if hint else "no"},
            }
        )

    def _image(self, values: dict[str, Any]) -> str | StoredImage | None:
        """The picture, which the project keeps in a folder of its question's own."""
        image = values.get("image")
        if not isinstance(image, str):
            return image if isinstance(image, StoredImage) else None
        own = f"{values.get('pid')}/{image}"
        names = (f"images/{values.get('split')}/{own}", f"images/{own}", image)
        return find_inside(self._table.folders, names)


def problems_table(folder: Path, split: str) -> Table:
    """The table in the project's own files.

    Raises:
        UserError: A file is missing or broken, or there is no such split.
    """
    problems, splits = (_object(folder / name) for name in (PROBLEMS, PID_SPLITS))
    name = choose_split(str(folder / PID_SPLITS), split, list(splits))
    ids = splits[name]
    if not isinstance(ids, list):
        raise UserError(f"{folder / PID_SPLITS}: {name!r} must be a list of ids")

    def rows(left: LeftOut) -> Iterator[Row]:
        for pid in map(str, ids):
            where = f"{folder / PROBLEMS}, problem {pid}"
            values = problems.get(pid)
            if isinstance(values, dict):
                yield Row(where, pid, {"split": name, **values, "pid": pid})
            else:
                left.add(f"{where}: is named in {PID_SPLITS}, but is no problem")

    found = (problem for problem in problems.values() if isinstance(problem, dict))
    return Table(f"{folder / PROBLEMS}", tuple(next(found, {})), rows, (folder,))


def _object(file: Path) -> dict[str, Any]:
    found = read_json(read_file(file), str(file), nan=True)
    if not isinstance(found, dict):
        raise UserError(f"{file}: must be one JSON object, in braces")
    return found

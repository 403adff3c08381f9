"""Your own data: a folder that holds `data.jsonl` and the pictures it names.

Every line is one JSON object with the fields of `Example`; `image` is a path within the folder, and
`answer` the text of an option or its letter. Nothing in the folder is ever executed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

from latentlab.data.collection import TableExamples
from latentlab.data.example import Example
from latentlab.data.records import read_record
from latentlab.data.tables import text_table
from latentlab.errors import UserError
from latentlab.files import told, write_folder

DATA_FILE = "data.jsonl"
IMAGE_FOLDER = "images"


class FolderDataset(TableExamples):
    """The examples of a folder, in the order of its lines."""

    def __init__(self, folder: Path | str, strict: bool = True, size: int | None = None) -> None:
        """Read and check all lines; open no picture.

        Args:
            folder: The folder.
            strict: Whether to stop at the first bad line instead of leaving it out.
            size: Width and height of every picture in pixels; None leaves them as they are.

        Raises:
            UserError: The folder has no readable data file, no line can be used, or `strict`, and
                one cannot; the message names file and line.
        """
        table = text_table(Path(folder) / DATA_FILE)
        super().__init__(table, lambda row: read_record(row.values), strict, size)


def export(examples: Iterable[Example], folder: Path | str) -> Path:
    """Write examples as a folder that `FolderDataset` reads back, pixel for pixel.

    The folder appears under its name only when it is complete.

    Args:
        examples: What to write; at least one.
        folder: A new or empty folder.

    Returns:
        The folder.

    Raises:
        UserError: The folder holds something, or there is nothing to write.
    """
    target = Path(folder).resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UserError(f"{folder}: is not an empty folder, choose a new one or empty it first")

    def write(draft: Path) -> None:
        (draft / IMAGE_FOLDER).mkdir()
        lines = [_write(example, draft, number) for number, example in enumerate(examples)]
        if not lines:
            raise UserError(f"{folder}: there are no examples to export")
        (draft / DATA_FILE).write_text("".join(lines), encoding="utf-8")

    with told(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    write_folder(target, write)
    return target


def _write(example: Example, folder: Path, number: int) -> str:
    """Save the picture under a name of ours, since an id may be no file name; return the line."""
    image = None
    if example.image is not None:
        image = f"{IMAGE_FOLDER}/{number:06d}.png"
        example.image.convert("RGB").save(folder / image)
    record = asdict(replace(example, image=None))
    record |= {"image": image, "groups": dict(example.groups)}
    return json.dumps(record, ensure_ascii=False) + "\n"

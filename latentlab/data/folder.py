"""Your own data: a folder that holds `data.jsonl` and the pictures it names.

Every line is one JSON object with the fields of `Example`; `image` is a path within the folder, and
`answer` the text of an option or its letter. All text is checked when the folder is opened, so that
a mistake in line 900 does not end a run after an hour; a picture is opened when it is asked for.
Nothing in the folder is ever executed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from pathlib import Path
from string import ascii_uppercase
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

from latentlab.data.example import Example, Trace
from latentlab.data.sequence import Examples
from latentlab.errors import UserError, did_you_mean

DATA_FILE = "data.jsonl"
IMAGE_FOLDER = "images"

_REQUIRED = ("id", "question", "choices", "answer")
_LISTS = ("choices", "rationale")
_STRINGS = ("id", "question", "answer", "domain", "topic", "question_type", "image")
_KNOWN = tuple(field.name for field in fields(Example))
_UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
"""What Pillow raises for files that are missing, broken, of no known format or far too large."""


class FolderDataset(Examples):
    """The examples of a folder, in the order of its lines."""

    def __init__(self, folder: Path | str) -> None:
        """Read and check all lines; open no picture.

        Raises:
            UserError: The folder has no readable data file, or a line is wrong; the message names
                file and line.
        """
        self._folder = Path(folder)
        self._file = self._folder / DATA_FILE
        self._examples: list[Example] = []
        self._images: list[Path | None] = []
        try:
            lines = self._file.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{self._file}: cannot be read as UTF-8 text ({error})") from error
        seen: dict[str, int] = {}
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                example, image = self._parse(line)
                if first := seen.get(example.id):
                    raise UserError(f"id {example.id!r} is already that of line {first}")
            except UserError as error:
                raise UserError(f"{self._file}, line {number}: {error}") from error
            seen[example.id] = number
            self._examples.append(example)
            self._images.append(image)
        if not self._examples:
            raise UserError(f"{self._file}: holds no examples, write one JSON object per line")

    def __len__(self) -> int:
        """Number of examples."""
        return len(self._examples)

    def make(self, index: int) -> Example:
        """Make the example at `index`, opening its picture.

        Raises:
            UserError: The picture cannot be read.
        """
        path = self._images[index]
        example = self._examples[index]
        if path is None:
            return example
        try:
            with Image.open(path) as image:
                return replace(example, image=image.convert("RGB"))
        except _UNREADABLE as error:
            problem = f"{self._file}, example {example.id}: {path.name} is no readable image"
            raise UserError(f"{problem} ({error})") from error

    def _parse(self, line: str) -> tuple[Example, Path | None]:
        try:
            record = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise UserError(f"not valid JSON ({error})") from error
        if not isinstance(record, dict):
            raise UserError("must be one JSON object, in braces")
        _check_fields(record)
        image = record.pop("image", None)
        values = record | {name: tuple(record.get(name, ())) for name in _LISTS}
        values["answer"] = _answer_text(values["answer"], values["choices"])
        values["trace"] = _trace(record.get("trace"))
        return Example(**values, image=None), None if image is None else self._inside(image)

    def _inside(self, image: str) -> Path:
        path = (self._folder / image).resolve()
        if not path.is_relative_to(self._folder.resolve()):
            raise UserError(f"image {image!r} lies outside the folder, copy it into the folder")
        if not path.is_file():
            raise UserError(f"image {image!r} does not exist in the folder")
        return path


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
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
        draft = Path(scratch) / target.name
        (draft / IMAGE_FOLDER).mkdir(parents=True)
        lines = [_write(example, draft, number) for number, example in enumerate(examples)]
        if not lines:
            raise UserError(f"{folder}: there are no examples to export")
        (draft / DATA_FILE).write_text("".join(lines), encoding="utf-8")
        if target.exists():
            target.rmdir()
        draft.rename(target)
    return target


def _write(example: Example, folder: Path, number: int) -> str:
    """Save the picture under a name of ours, since an id may be no file name; return the line."""
    image = None
    if example.image is not None:
        image = f"{IMAGE_FOLDER}/{number:06d}.png"
        example.image.convert("RGB").save(folder / image)
    record = asdict(replace(example, image=None)) | {"image": image}
    return json.dumps(record, ensure_ascii=False) + "\n"


def _check_fields(record: dict[str, Any]) -> None:
    for name in _REQUIRED:
        if name not in record:
            raise UserError(f"field {name!r} is missing")
    for name, value in record.items():
        if name not in _KNOWN:
            raise UserError(f"unknown field {name!r}, {did_you_mean(name, _KNOWN)}")
        if name in _STRINGS and not isinstance(value, str) and (name, value) != ("image", None):
            raise UserError(f"field {name!r} must be a text in quotes")
        if name in _LISTS and not _is_list_of(value, str):
            raise UserError(f"field {name!r} must be a list of texts")
        if name == "hops" and value is not None and type(value) is not int:
            raise UserError("field 'hops' must be a whole number or null")


def _answer_text(answer: str, choices: tuple[str, ...]) -> str:
    """The option that an answer means; a text that is an option is never taken for a letter."""
    letters = ascii_uppercase[: len(choices)]
    if answer not in choices and len(answer) == 1 and answer in letters:
        return choices[letters.index(answer)]
    return answer


def _trace(value: Any) -> Trace | None:
    if value is None:
        return None
    kinds = {"cells": int, "objects": str, "links": int}
    if not isinstance(value, dict) or value.keys() - {"scans"} != kinds.keys():
        raise UserError(f"field 'trace' must be null or an object with {', '.join(kinds)}")
    for name, kind in kinds.items():
        if not _is_list_of(value[name], kind):
            raise UserError(f"field 'trace': {name} must be a list of {kind.__name__}")
    scans = value.get("scans", [])
    if not isinstance(scans, list) or not all(_is_list_of(cell, str) for cell in scans):
        raise UserError("field 'trace': scans must be a list of lists of texts")
    return Trace(
        **{name: tuple(value[name]) for name in kinds}, scans=tuple(tuple(cell) for cell in scans)
    )


def _is_list_of(value: Any, kind: type) -> bool:
    return isinstance(value, list) and all(type(item) is kind for item in value)

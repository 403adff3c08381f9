"""What one record of data says: checked, and turned into an example and its picture's place.

A record holds the fields of `Example` by name, as a line of `data.jsonl` does; its `image` is a
path or a picture that is stored in a table. Every source makes records, so what is checked of them
stands here once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from string import ascii_uppercase
from typing import Any

from latentlab.data.example import Example, Trace
from latentlab.data.images import StoredImage
from latentlab.errors import UserError, did_you_mean

FIELDS = tuple(field.name for field in fields(Example))
"""What a record may hold."""

REQUIRED = ("id", "question", "choices", "answer")
"""What it has to hold."""

_LISTS = ("choices", "rationale")
_STRINGS = ("id", "question", "answer", "domain", "topic", "question_type", "context")


@dataclass(frozen=True)
class Record:
    """A checked record."""

    example: Example
    """The example without its picture."""

    image: str | StoredImage | None
    """What stands for its picture."""


def read_record(values: Mapping[str, Any]) -> Record:
    """Check the fields of a record.

    Args:
        values: The fields. `answer` is the text of a choice or its letter; a text that is a choice
            is never taken for a letter.

    Raises:
        UserError: A field is missing, unknown or of another kind, or fields contradict each other.
    """
    for name in REQUIRED:
        if name not in values:
            raise UserError(f"field {name!r} is missing")
    for name, value in values.items():
        _check_field(name, value)
    made = {name: value for name, value in values.items() if name != "image"}
    made |= {name: tuple(values.get(name, ())) for name in _LISTS}
    made["answer"] = _answer_text(made["answer"], made["choices"])
    made["trace"] = _trace(values.get("trace"))
    made["groups"] = tuple(values.get("groups", {}).items())
    return Record(Example(**made, image=None), values.get("image"))


def letter_answer(letter: str, choices: tuple[str, ...]) -> str:
    """The choice that a letter stands for, where answers are letters and never texts.

    Raises:
        UserError: No choice has that letter.
    """
    letters = ascii_uppercase[: len(choices)]
    if len(letter) != 1 or letter not in letters:
        raise UserError(f"the answer {letter!r} is not among the choices {list(choices)}")
    return choices[letters.index(letter)]


def index_answer(index: Any, choices: tuple[str, ...]) -> str:
    """The choice that a number stands for, counted from 0.

    Raises:
        UserError: No choice has that number.
    """
    if str(index) not in map(str, range(len(choices))):
        raise UserError(f"the answer {index} is not among the choices, 0 to {len(choices) - 1}")
    return choices[int(index)]


def text_of(values: Mapping[str, Any], name: str, needed: bool = True) -> str:
    """A text of a published row, without the blanks around it.

    Args:
        values: The row.
        name: The column.
        needed: Whether it has to be there; otherwise a missing one is empty.

    Raises:
        UserError: It is missing, or no text.
    """
    value = values.get(name)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or (needed and not value.strip()):
        raise UserError(f"field {name!r} {'is missing' if not value else 'must be a text'}")
    return value.strip()


def texts_of(values: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The texts of a published row's list, without the blanks around them.

    Raises:
        UserError: It is missing, or no list of texts.
    """
    value = values.get(name)
    if not is_list_of(value, str):
        raise UserError(f"field {name!r} must be a list of texts")
    return tuple(text.strip() for text in values[name])


def _check_field(name: str, value: Any) -> None:
    if name not in FIELDS:
        raise UserError(f"unknown field {name!r}, {did_you_mean(name, FIELDS)}")
    if name in _STRINGS and not isinstance(value, str):
        raise UserError(f"field {name!r} must be a text in quotes")
    if name == "image" and not isinstance(value, (str, StoredImage, type(None))):
        raise UserError("field 'image' must be a text in quotes")
    if name in _LISTS and not is_list_of(value, str):
        raise UserError(f"field {name!r} must be a list of texts")
    if name == "hops" and value is not None and type(value) is not int:
        raise UserError("field 'hops' must be a whole number or null")
    if name == "groups" and not (
        isinstance(value, dict) and all(isinstance(group, str) for group in value.values())
    ):
        raise UserError("field 'groups' must be an object of texts")


def _answer_text(answer: str, choices: tuple[str, ...]) -> str:
    """The choice that an answer means, which is no letter where it is the text of a choice."""
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
        if not is_list_of(value[name], kind):
            raise UserError(f"field 'trace': {name} must be a list of {kind.__name__}")
    scans = value.get("scans", [])
    if not isinstance(scans, list) or not all(is_list_of(cell, str) for cell in scans):
        raise UserError("field 'trace': scans must be a list of lists of texts")
    return Trace(
        **{name: tuple(value[name]) for name in kinds}, scans=tuple(tuple(cell) for cell in scans)
    )


def is_list_of(value: Any, kind: type) -> bool:
    """Whether a value out of a file is a list of nothing but one type."""
    return isinstance(value, list) and all(type(item) is kind for item in value)

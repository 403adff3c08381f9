"""What one record of data says: checked, and turned into an example and its picture's place.

A record holds the fields of `Example` by name, as a line of `data.jsonl` does; its `image` is a
path or a picture that is stored in a table. Every source makes records, so what is checked of them
stands here once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from string import ascii_uppercase
from typing import Any, ClassVar

from latentlab.data.example import Example, Trace
from latentlab.data.images import StoredImage
from latentlab.errors import UserError
from latentlab.schema import STRICT, read

FIELDS = tuple(field.name for field in fields(Example))
"""What a record may hold."""


@dataclass(frozen=True)
class TraceFields:
    """Where each look-up of a question leads."""

    __pydantic_config__: ClassVar = STRICT

    cells: list[int]
    """Row-major cell at hop 0 (the start), 1, ... 8; goes on beyond the hops asked for."""

    objects: list[str]
    """Name of the object in each cell, all different."""

    links: list[int]
    """For each cell, the cell whose object its mark names."""

    scans: list[list[str]] = field(default_factory=list)
    """What each cell shows that was drawn from a store and may be shown again."""


@dataclass(frozen=True)
class RecordFields:
    """One line of `data.jsonl`: a question about one picture."""

    __pydantic_config__: ClassVar = STRICT

    id: str
    """Unique within its data."""

    question: str
    """What is asked, without the options."""

    choices: list[str]
    """Texts of the options A, B, ...; empty if the answer is free-form."""

    answer: str
    """A choice's text or its letter; a text that is a choice is never taken for a letter. Empty if
    it is unknown."""

    image: str | None = None
    """Path of the picture within the folder; null for a question about text alone."""

    rationale: list[str] = field(default_factory=list)
    """The reasoning, one text per step, up to but without the answer."""

    domain: str = ""
    """Coarse group for tables."""

    topic: str = ""
    """Fine group within the domain."""

    question_type: str = ""
    """What sort of question it is."""

    hops: int | None = None
    """Look-ups that the question asks for, where that is known."""

    trace: TraceFields | None = None
    """Where each look-up leads, where that is known."""

    context: str = ""
    """What is told beside the question, such as a hint or a passage."""

    groups: dict[str, str] = field(default_factory=dict)
    """Further groups for tables, each a name and a value."""


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
    image = values.get("image")
    stored = image if isinstance(image, StoredImage) else None
    given = read(RecordFields, values if stored is None else {**values, "image": None}, "")
    if empty := [name for name in ("id", "question") if not getattr(given, name).strip()]:
        raise UserError(f"the {empty[0]} is empty")
    choices = tuple(given.choices)
    example = Example(
        id=given.id,
        question=given.question,
        choices=choices,
        answer=_answer_text(given.answer, choices),
        image=None,
        rationale=tuple(given.rationale),
        domain=given.domain,
        topic=given.topic,
        question_type=given.question_type,
        hops=given.hops,
        trace=None if given.trace is None else _trace(given.trace),
        context=given.context,
        groups=tuple(given.groups.items()),
    )
    return Record(example, given.image if stored is None else stored)


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


def _answer_text(answer: str, choices: tuple[str, ...]) -> str:
    """The choice that an answer means, which is no letter where it is the text of a choice."""
    letters = ascii_uppercase[: len(choices)]
    if answer not in choices and len(answer) == 1 and answer in letters:
        return choices[letters.index(answer)]
    return answer


def _trace(given: TraceFields) -> Trace:
    cells, objects, links = tuple(given.cells), tuple(given.objects), tuple(given.links)
    return Trace(cells, objects, links, tuple(tuple(cell) for cell in given.scans))


def is_list_of(value: Any, kind: type) -> bool:
    """Whether a value out of a file is a list of nothing but one type."""
    return isinstance(value, list) and all(type(item) is kind for item in value)

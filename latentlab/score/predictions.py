"""Reads replies: lines in the layout of the M3CoT project, its own as well as the evaluator's.

A line that cannot be read is told and left out, so that one of ten thousand does not lose the rest.
What a line has to hold and what it may say besides is on `docs/scoring.md`.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase
from typing import Any, Literal

from latentlab.data.records import is_list_of
from latentlab.errors import UserError
from latentlab.study.results import PREDICTIONS

_WHO = ("model", "data", "intervention")
_TEXTS = ("id", "domain", "topic", "subject", "grade", "hint", "context", "answer_marker", *_WHO)


@dataclass(frozen=True)
class Prediction:
    """One reply to one example."""

    line: int
    """Where it stands in its file, counted from 1."""

    id: str
    """Name of the example."""

    choices: tuple[str, ...]
    """Texts of the choices."""

    gold: int
    """Index of the right choice."""

    reply: str | None
    """The last message, as it was generated; None where a file tells nothing but an index."""

    index: int | None = None
    """Index of the choice, where a file tells nothing else."""

    domain: str = ""
    """Coarse group; of ScienceQA the subject."""

    topic: str = ""
    """Fine group."""

    grade: str = ""
    """ScienceQA's `grade1` to `grade12`."""

    has_text: bool = False
    """Whether a hint or context goes with the question."""

    has_image: bool = False
    """Whether a picture does."""

    model: str = ""
    """Who replied; empty where the line does not say."""

    data: str = ""
    """Data that the example is of; empty where the line does not say."""

    intervention: str = "none"
    """Arm of the run that the reply is of."""

    form: Literal["letter", "text", "index"] = "letter"
    """Whether the answer is a choice's letter, its text or its number from 0."""

    marker: str | None = None
    """What stands before the answer, where the line says."""

    option_logprobs: tuple[float, ...] = ()
    """Log-likelihood of each choice in nats, where the line says."""

    cluster: tuple[str, ...] = ()
    """What the question shares with others (`measures.clusters`), where the line says."""

    scienceqa: bool = False
    """Whether the line has ScienceQA's fields: a subject, or an index as the answer."""


def read_predictions(path: Path, strict: bool = False) -> tuple[list[Prediction], list[str]]:
    """Read a file of replies.

    Args:
        path: the file, or a results folder of the evaluator.
        strict: stop at the first line that cannot be read.

    Returns:
        The replies in the order of their lines, and what is wrong with the lines left out, in one
        text each that names file and line.

    Raises:
        UserError: there is no such file, no line of it can be read, or `strict` found one that
            cannot.
    """
    file = path / PREDICTIONS if path.is_dir() else path
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UserError(
            f"{file} cannot be read ({error.strerror}): name a file of replies"
        ) from error
    found: list[Prediction] = []
    problems: list[str] = []
    seen: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            one = _parse(line, number)
            first = seen.setdefault((one.id, one.model, one.data, one.intervention), number)
            if first != number:
                raise UserError(f"id {one.id!r} is already that of line {first}")
            found.append(one)
        except UserError as error:
            problems.append(f"{file}, line {number}: {error}")
            if strict:
                raise UserError(problems[-1]) from error
    if not found:
        told = problems[0] if problems else "it is empty"
        raise UserError(f"no line of {file} can be scored; {told}")
    return found, problems


def gold_index(answer: object, choices: tuple[str, ...]) -> int:
    """The choice that an answer means: an index from 0, a letter, or the text of a choice.

    Raises:
        UserError: it means none of them, or there are more than letters.
    """
    if len(choices) > len(ascii_uppercase):
        raise UserError(f"{len(choices)} choices, more than there are letters")
    letters = ascii_uppercase[: len(choices)]
    if type(answer) is int and 0 <= answer < len(choices):
        return answer
    if isinstance(answer, str) and len(answer) == 1 and answer in letters:
        return letters.index(answer)
    if isinstance(answer, str) and answer in choices:
        return choices.index(answer)
    raise UserError(f"the answer {answer!r} is not among the {len(choices)} choices")


def groups(record: Mapping[str, Any]) -> dict[str, Any]:
    """What divides examples in tables, out of the fields of a line or of a ScienceQA problem."""
    text = record.get("hint") or record.get("context")
    image = record.get("image") or record.get("image_id")
    return {
        "domain": str(record.get("domain") or record.get("subject") or ""),
        "topic": str(record.get("topic") or ""),
        "grade": str(record.get("grade") or ""),
        "has_text": bool(record.get("has_text", text)),
        "has_image": bool(record.get("has_image", image)),
    }


def _parse(line: bytes, number: int) -> Prediction:
    """Make a prediction of a line."""
    record = _checked(line)
    choices = tuple(record["choices"])
    logprobs = record.get("option_logprobs", [])
    known = is_list_of(logprobs, float) and not any(map(math.isnan, logprobs))
    if not known or len(logprobs) not in (0, len(choices)):
        raise UserError("field 'option_logprobs' must be a list of a number for each choice")
    return Prediction(
        line=number,
        id=record["id"],
        choices=choices,
        gold=gold_index(record["answer"], choices),
        reply=record["messages"][-1],
        **groups(record),
        **{name: record[name] for name in _WHO if record.get(name)},
        form=record.get("answer_form", "letter"),
        marker=record.get("answer_marker"),
        option_logprobs=tuple(logprobs),
        cluster=tuple(record.get("cluster", ())),
        scienceqa="subject" in record or isinstance(record["answer"], int),
    )


def _checked(line: bytes) -> dict[str, Any]:
    """The fields of a line."""
    try:
        record = json.loads(line)
        json.dumps(record, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        raise UserError(f"not valid JSON ({error})") from error
    if not isinstance(record, dict):
        raise UserError("must be one JSON object, in braces")
    for name in ("id", "choices", "answer", "messages"):
        if record.get(name) is None:
            raise UserError(f"field {name!r} is missing")
    for name in _TEXTS:
        if not isinstance(record.get(name), str | None):
            raise UserError(f"field {name!r} must be a text in quotes")
    for name in ("choices", "messages"):
        if not record[name] or not is_list_of(record[name], str):
            raise UserError(f"field {name!r} must be a list of texts, of one at least")
    if not is_list_of(record.get("cluster", []), str):
        raise UserError("field 'cluster' must be a list of texts")
    if len(record["messages"]) % 2:
        raise UserError("field 'messages' must hold a reply to each prompt")
    if (form := record.get("answer_form", "letter")) not in ("letter", "text", "index"):
        raise UserError(f"field 'answer_form' is {form!r}; known: letter, text, index")
    return record

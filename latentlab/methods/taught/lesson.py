"""A lesson: a method's calls, and what a model is to reply to each of them.

The very generator that asks a trained model also makes its training data: it talks to a teacher who
knows the trace. So what a model is trained on and how it is asked cannot drift apart.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from latentlab.data.example import Example, traced
from latentlab.data.scene import GRID
from latentlab.errors import UserError
from latentlab.methods.call import Call, Method, Question

ROWS = ("one", "two", "three", "four")
"""Words for rows and columns, counted from the top left; the benchmark's own numbers."""

WRITTEN = 96
"""Tokens of a reply at most."""


@dataclass(frozen=True)
class Lesson:
    """A method, and what to reply to its calls."""

    method: Method
    """The calls."""

    replies: Callable[[Example], tuple[str, ...]]
    """What a teacher who knows the trace replies, call by call, without the answer."""

    def taught(self, question: Question) -> Iterator[tuple[Call, str]]:
        """Every call about a question, with the reply that is right.

        Raises:
            UserError: the example has no trace.
            ValueError: the method asks for more or fewer replies than the teacher has.
        """
        example = question.example
        traced(example)
        talk = self.method.ask(question)
        replies = self.replies(example)
        call = next(talk)
        for number, reply in enumerate(replies):
            last = number + 1 == len(replies)
            if last:
                reply = f"{reply} {question.format.answer_marker} {example.answer}".strip()
            yield call, reply
            try:
                call = talk.send(reply)
            except StopIteration:
                if not last:
                    raise ValueError(f"{self.method.name} ended before its teacher") from None
                return
        raise ValueError(f"{self.method.name} asks for more than {len(replies)} replies")


def steps(example: Example) -> range:
    """The hops whose cells are looked at before the answer, counted from 1."""
    _, hops = traced(example)
    return range(1, hops)


def place(cell: int) -> str:
    """Row and column of a cell in words, e.g. "two three"."""
    row, column = divmod(cell, GRID)
    return f"{ROWS[row]} {ROWS[column]}"


def cell_of(words: str) -> int | None:
    """The cell that a text names last; None where it ends with no row and column."""
    *_, row, column = ["", "", *words.replace(",", " ").split()]
    if row not in ROWS or column not in ROWS:
        return None
    return ROWS.index(row) * GRID + ROWS.index(column)


def check_picture(question: Question) -> None:
    """Refuse a question that shows no picture.

    Raises:
        UserError: it shows none.
    """
    if question.example.image is None:
        raise UserError(f"{question.example.id} has no picture, which the method needs")

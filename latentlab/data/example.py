"""One question about one image, and what is known about how it is answered.

Everything downstream reads examples and never asks where they came from, so whatever is checked
here need not be checked again. A `Trace` is the ground truth of multi-hop look-up: with it, "had
hop 2 led elsewhere, the answer would be ..." is arithmetic instead of another picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from string import ascii_uppercase

from PIL import Image

from latentlab.data.wording import NAMES, SHOWN, TEXTS, bad_choices, bad_name, bad_text
from latentlab.errors import UserError

LONGEST = 8
"""Links that a trace follows: the most hops a question can ask for."""


OWN_COLUMNS = frozenset(
    ("model", "data", "example", "domain", "topic", "hops", "question_type", "order", "index")
)
"""Columns that rows of every study have, which no group of a user's may be called."""


@dataclass(frozen=True)
class Trace:
    """Which cell is met at each hop, and how all cells of the picture are linked.

    Raises:
        UserError: The fields do not describe one walk over one picture.
    """

    cells: tuple[int, ...]
    """Row-major cell at hop 0 (the start), 1, ... 8; goes on beyond the hops asked for."""

    objects: tuple[str, ...]
    """Name of the object in each cell, all different, e.g. "red circle"."""

    links: tuple[int, ...]
    """`links[c]` is the cell whose object the mark in cell c names."""

    scans: tuple[tuple[str, ...], ...] = field(default=(), compare=False)
    """Names of what each cell shows that was drawn from a store and may be shown again, such as
    scans of handwriting; empty where there is none."""

    def __post_init__(self) -> None:
        """Refuse a trace that contradicts itself."""
        size = len(self.objects)
        if len(self.scans) not in (0, size):
            raise UserError(f"trace: scans are given for {len(self.scans)} of {size} cells")
        if len(self.links) != size or len(set(self.objects)) != size:
            raise UserError("trace: every cell needs one link and an object of its own")
        if not all(0 <= cell < size for cell in (*self.links, *self.cells)):
            raise UserError(f"trace: cells and links must lie from 0 to {size - 1}")
        steps = zip(self.cells[:-1], self.cells[1:], strict=True)
        if len(self.cells) != LONGEST + 1 or any(self.links[a] != b for a, b in steps):
            raise UserError(f"trace: cells must be a start and the {LONGEST} links on from it")

    @classmethod
    def from_start(
        cls,
        start: int,
        objects: tuple[str, ...],
        links: tuple[int, ...],
        scans: tuple[tuple[str, ...], ...] = (),
    ) -> Trace:
        """Walk from the cell `start`."""
        cells = [start]
        for _ in range(LONGEST):
            cells.append(links[cells[-1]])
        return cls(tuple(cells), objects, links, scans)

    def restarted(self, start: int) -> Trace:
        """The walk from another cell of the same picture."""
        return Trace.from_start(start, self.objects, self.links, self.scans)

    def at(self, hop: int) -> str:
        """Name of the object met at a hop."""
        return self.objects[self.cells[hop]]

    def follow(self, cell: int, hops: int) -> int:
        """The cell reached from `cell` after `hops` links."""
        for _ in range(hops):
            cell = self.links[cell]
        return cell


@dataclass(frozen=True)
class Example:
    """A question, its picture, its options and its answer.

    Raises:
        UserError: The fields contradict each other; the message names the example.
    """

    id: str
    """Unique within its dataset."""

    question: str
    """What is asked, without the options."""

    choices: tuple[str, ...]
    """Texts of the options A, B, ...; empty if the answer is free-form."""

    answer: str
    """Text of the right answer, one of the choices if there are any; empty if it is unknown."""

    image: Image.Image | None
    """The picture in RGB, or None if the question is about text alone."""

    rationale: tuple[str, ...] = ()
    """The reasoning, one text per step, up to but without the answer."""

    domain: str = ""
    """Coarse group for tables, e.g. "digits"."""

    topic: str = ""
    """Fine group within the domain."""

    question_type: str = ""
    """What sort of question it is, e.g. "chain"."""

    hops: int | None = None
    """Look-ups the question asks for, where that is known."""

    trace: Trace | None = None
    """Where each look-up leads, where that is known."""

    context: str = ""
    """What is told beside the question, such as a hint or a passage."""

    groups: tuple[tuple[str, str], ...] = ()
    """Further groups for tables, each a name and a value, e.g. ("grade", "grade4")."""

    def __post_init__(self) -> None:
        """Refuse an example that contradicts itself."""
        if problem := self._problem():
            raise UserError(f"example {self.id[:SHOWN]}: {problem}")

    def _problem(self) -> str | None:
        if len(self.choices) > len(ascii_uppercase):
            return f"{len(self.choices)} choices, more than there are letters"
        texts = [(name, getattr(self, name)) for name in TEXTS]
        names = [(name, getattr(self, name)) for name in NAMES]
        names += [(f"the group {name!r}", value) for name, value in self.groups]
        if problem := bad_text(texts) or bad_name(names) or bad_choices(self.choices):
            return problem
        if self.choices and self.answer and self.answer not in self.choices:
            return f"the answer {self.answer!r} is not among the choices {list(self.choices)}"
        if taken := [name for name, _ in self.groups if name in OWN_COLUMNS]:
            return f"no group can be called {taken[0]!r}, which is a column of results"
        if self.hops is not None and not 1 <= self.hops <= LONGEST:
            return f"hops is {self.hops}, must be 1 to {LONGEST}"
        if self.trace and self.hops and self.answer and self.answer != self.trace.at(self.hops):
            return f"the trace does not lead to the answer {self.answer!r}"
        return None

    @property
    def letter(self) -> str:
        """Letter of the right option.

        Raises:
            UserError: The example has no options.
        """
        if not self.choices:
            raise UserError(f"example {self.id}: without choices, its answer has no letter")
        return ascii_uppercase[self.choices.index(self.answer)]

    @property
    def clusters(self) -> tuple[str, ...]:
        """What it shares with other questions that stand and fall with it (`measures.clusters`).

        These are the scans that its walk reads: at each hop a glyph and a mark. Empty where there
        are none, or where the walk is not known.
        """
        if self.trace is None or not self.trace.scans:
            return ()
        read = (self.trace.scans[cell] for cell in self.trace.cells[: self.hops])
        return tuple(sorted({scan for scans in read for scan in scans}))


def traced(example: Example) -> tuple[Trace, int]:
    """The trace and the number of hops of an example that knows both.

    Raises:
        UserError: It does not.
    """
    if example.trace is None or example.hops is None:
        raise UserError(f"example {example.id}: no trace and hops, which this measure needs")
    return example.trace, example.hops


def counterfactual_answer(example: Example, hop: int, cell: int) -> str:
    """What the answer would be, had hop `hop` led to `cell` in the same picture.

    Args:
        example: An example with a trace.
        hop: 0 (another start) to `example.hops` (another last look-up).
        cell: Row-major cell in which that hop would have ended.

    Returns:
        The object to which the remaining hops lead from there.

    Raises:
        UserError: The example has no trace, or there is no such hop or cell.
    """
    trace, hops = traced(example)
    last = len(trace.objects) - 1
    if not 0 <= hop <= hops:
        raise UserError(f"example {example.id}: no hop {hop}, choose 0 to {hops}")
    if not 0 <= cell <= last:
        raise UserError(f"example {example.id}: no cell {cell}, choose 0 to {last}")
    return trace.objects[trace.follow(cell, hops - hop)]


def counterfactual_cells(example: Example, hop: int) -> list[int]:
    """Cells to which hop `hop` could lead so that the answer is another one, beyond dispute.

    Left out are cells that leave the answer as it is, and those with which the walk would read the
    mark of this hop twice: there it matters whether the mark or only the walk was changed.

    Args:
        example: An example with a trace.
        hop: 1 to `example.hops`.

    Returns:
        Row-major cells in rising order.

    Raises:
        UserError: The example has no trace, or there is no such hop.
    """
    trace, hops = traced(example)
    if not 1 <= hop <= hops:
        raise UserError(f"example {example.id}: no hop {hop}, choose 1 to {hops}")
    *before, mark = trace.cells[:hop]
    if mark in before:
        return []
    return [
        cell
        for cell in range(len(trace.objects))
        if counterfactual_answer(example, hop, cell) != example.answer
        and all(trace.follow(cell, more) != mark for more in range(hops - hop))
    ]

"""How far the work is: a bar on a terminal, a line every now and then elsewhere.

One count is under way at a time, and whoever does the work tells how much of it is done
(`advance`), however deep inside it is.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from latentlab.console import streams

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

T = TypeVar("T")

FIRST = 10.0
"""Seconds of work after which a log gets its first line."""

PAUSE = 30.0
"""Seconds between two lines of a log at least."""

SHARE = 0.02
"""Share of the work between two lines of a log at least: fifty lines at most."""


class _Count:
    """How much of one piece of work is done."""

    def __init__(
        self, description: str, total: int, unit: str, clock: Callable[[], float], shown: bool
    ) -> None:
        self.description, self.total, self.unit = description, total, unit
        self.clock, self.shown = clock, shown
        self.done = 0
        self.started = clock()
        self.due, self.told = self.started + FIRST, 0
        self.bar: tuple[Progress, TaskID] | None = None

    def reach(self, done: int) -> None:
        """So much is done."""
        self.done = max(self.done, min(done, self.total))
        if self.bar is not None:
            self.bar[0].update(self.bar[1], completed=self.done)
        elif self.shown and self._is_due():
            self._tell()

    def _is_due(self) -> bool:
        """Whether a log gets a line; it gets none for what is done a moment later."""
        far = self.done - self.told >= SHARE * self.total
        return far and self.done < self.total and self.clock() >= self.due

    def _tell(self) -> None:
        now = self.clock()
        self.due, self.told = now + PAUSE, self.done
        spent = now - self.started
        left = spent * (self.total - self.done) / self.done
        share = 100 * self.done / self.total
        streams.note(
            f"{self.description}: {self.done:,} of {self.total:,} {self.unit} ({share:.0f} %), "
            f"{_time(spent)} so far, about {_time(left)} to go"
        )


_under_way: list[_Count] = []


@contextmanager
def progress(
    description: str,
    total: int,
    unit: str = "answers",
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[None]:
    """Count work while it is done; of a count within another one only the outer one is shown.

    Args:
        description: What is being done, in a few words.
        total: How much there is to do.
        unit: What is counted.
        clock: Tells seconds.
    """
    count = _Count(description, total, unit, clock, shown=not _under_way)
    _under_way.append(count)
    try:
        if count.shown and streams.remarks.is_terminal and not streams.remarks.quiet:
            with _bar(description, total, unit) as bar:
                count.bar = bar
                yield
        else:
            yield
    finally:
        _under_way.remove(count)


@contextmanager
def _bar(description: str, total: int, unit: str) -> "Iterator[tuple[Progress, TaskID]]":
    from rich import progress as bars  # costs start-up time that `--help` has no use for

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(bar_width=20),
        bars.TextColumn(f"{{task.completed:,.0f}} of {{task.total:,.0f}} {unit}"),
        bars.TimeRemainingColumn(compact=True),
    )
    with bars.Progress(*columns, console=streams.remarks, transient=True) as shown:
        yield shown, shown.add_task(description, total=total)


def advance(amount: int) -> None:
    """So much more is done of what is under way; nothing happens where nothing is."""
    if _under_way:
        _under_way[-1].reach(_under_way[-1].done + amount)


def reach(done: int) -> None:
    """So much is done in all of what is under way."""
    if _under_way:
        _under_way[-1].reach(done)


def track(
    items: Iterable[T], description: str, total: int | None = None, unit: str = "items"
) -> Iterator[T]:
    """Hand on `items` one by one and count them.

    Args:
        items: What is worked through.
        description: What is being done, in a few words.
        total: How many items there are, where `len(items)` does not tell.
        unit: What they are called.

    Yields:
        The items unchanged.
    """
    number = total if total is not None else len(items)  # type: ignore[arg-type]
    with progress(description, number, unit):
        for i, item in enumerate(items, 1):
            yield item
            reach(i)


def _time(seconds: float) -> str:
    """A length of time in the two largest of its units."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"

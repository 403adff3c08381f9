"""Examples in batches: how they are cut, and who works on which.

What is done to a batch depends on nothing outside of it, so processes share batches and never the
examples of one: each batch has the padding and the neighbours that it has where one process does
all of them, and its rows are the same.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from latentlab.console import advance
from latentlab.data.example import Example
from latentlab.processes.group import count, divided
from latentlab.study.progress import remembering

Numbered = list[tuple[int, Example]]
"""A batch: its examples with their numbers among all examples."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def batches(examples: Sequence[Example], size: int) -> Iterator[Numbered]:
    """Cut examples, numbered, into batches; those with and without an image are kept apart."""
    pending: dict[bool, Numbered] = {True: [], False: []}
    for i in range(len(examples)):
        example = examples[i]
        group = pending[example.image is not None]
        group.append((i, example))
        if len(group) == size:
            yield group.copy()
            group.clear()
    yield from (group for group in pending.values() if group)


def shares(items: Iterable[Item], several: int) -> Iterator[list[Item]]:
    """Items in order, so many at a time at most; they are taken when they are asked for."""
    left = iter(items)
    while share := list(islice(left, several)):
        yield share


def over_batches(
    examples: Sequence[Example],
    size: int,
    work: Callable[[Numbered], Result],
    description: str,
    rounds: int = 1,
    unit: str = "questions",
) -> list[Result]:
    """Do something with every batch; processes share the work, and each has all results.

    What a killed run of the same study has finished is not done again (`study.progress`).

    Args:
        examples: what is cut into batches.
        size: examples of a batch.
        work: what is done with a batch; what it returns can be pickled.
        description: what is being done, for the progress that is shown.
        rounds: how often each example is worked on. `work` tells when a batch has gone through one
            of them (`one_round`).
        unit: what an example in a round is called.

    Returns:
        What `work` returned, batch by batch.
    """
    total = len(examples) * rounds
    whole, once = batches(examples, size), remembering(work)
    return divided(whole, once, description, total, unit, lambda batch: len(batch) * rounds)


def one_round(batch: Sequence[object]) -> None:
    """Tell that a batch has gone through one round of its work."""
    advance(len(batch) * count())

"""Examples changed at a known place of their walk: a mark masked or relinked, another start.

With a trace it is known what each hop needs to see, so that evidence can be taken away or altered
for one hop and no other. Each function returns None where an example does not allow the change.
New answers are always among the options the example has, so that one set of options serves both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from latentlab.data import pictures
from latentlab.data.benchmark import Benchmark
from latentlab.data.example import Example, counterfactual_answer, counterfactual_cells


def mask_needed(example: Example, hop: int) -> Example | None:
    """Blank the cell that hop `hop` needs: its mark, where the hop before ended, names the next.

    Args:
        example: an example with picture and trace.
        hop: from 1 to the example's hops.
    """
    if not _walks(example, hop) or example.trace is None:
        return None
    return _masked(example, example.trace.cells[hop - 1], answer="")


def mask_other(example: Example, stream: np.random.Generator) -> Example | None:
    """Blank a cell that the walk never meets: the matched control of `mask_needed`.

    Args:
        example: an example with picture and trace.
        stream: draws the cell.
    """
    if not _walks(example) or example.trace is None or example.hops is None:
        return None
    path = example.trace.cells[: example.hops + 1]
    free = [cell for cell in range(len(example.trace.objects)) if cell not in path]
    return _masked(example, int(stream.choice(free)), example.answer) if free else None


def relink(
    example: Example, hop: int, benchmark: Benchmark, stream: np.random.Generator
) -> Example | None:
    """Change one mark, so that a hop leads elsewhere and the walk ends at another of the options.

    Args:
        example: an example of the benchmark.
        hop: from 1 to the example's hops.
        benchmark: where it comes from: it can draw the picture again with one mark changed.
        stream: draws where the hop leads.
    """
    number = _number(example, benchmark)
    if number is None or not _walks(example, hop):
        return None
    cells = [
        cell
        for cell in counterfactual_cells(example, hop)
        if counterfactual_answer(example, hop, cell) in example.choices
    ]
    if not cells:
        return None
    changed = benchmark.relink(number, hop, int(stream.choice(cells)))
    return replace(changed, id=example.id)


def relink_other(
    example: Example,
    cells: Sequence[int],
    named: int,
    benchmark: Benchmark,
    stream: np.random.Generator,
) -> tuple[Example, int] | None:
    """Change a mark that the walk never reads, so that nothing follows: the control of `relink`.

    Args:
        example: an example of the benchmark.
        cells: cells whose mark may be changed, those of the walk left out.
        named: the cell whose object the mark is to name.
        benchmark: see `relink`.
        stream: draws which mark is changed.

    Returns:
        The example, and the cell that was changed; None where no cell is left.
    """
    number = _number(example, benchmark)
    if number is None or not _walks(example) or example.trace is None:
        return None
    trace, walk = example.trace, example.trace.cells[: (example.hops or 0) + 1]
    free = [cell for cell in cells if cell not in walk and trace.links[cell] != named]
    if not free:
        return None
    mark = int(stream.choice(free))
    changed = benchmark.remark(number, mark, named)
    return replace(changed, id=example.id), mark


def restart(example: Example, stream: np.random.Generator) -> Example | None:
    """Ask about the same picture from an object from which the walk ends at another option.

    Args:
        example: an example with a trace, whose question names the object it starts from once.
        stream: draws the object.
    """
    trace = example.trace
    if trace is None or example.hops is None or example.question.count(trace.at(0)) != 1:
        return None
    answers = {cell: counterfactual_answer(example, 0, cell) for cell in range(len(trace.objects))}
    cells = [c for c, new in answers.items() if new != example.answer and new in example.choices]
    if not cells:
        return None
    cell = int(stream.choice(cells))
    moved = trace.restarted(cell)
    question = example.question.replace(trace.at(0), moved.at(0))
    # The steps of the old walk are no rationale of the new one.
    return replace(example, question=question, answer=answers[cell], rationale=(), trace=moved)


def _number(example: Example, benchmark: Benchmark) -> int | None:
    """Where a benchmark has an example; None where it is not of this benchmark."""
    number = example.id.rpartition("-")[2]
    if not number.isdecimal() or int(number) >= len(benchmark):
        return None
    original = benchmark[int(number)]
    same = (original.id, original.trace) == (example.id, example.trace)
    return int(number) if same else None


def _walks(example: Example, hop: int = 1) -> bool:
    """Whether an example has a picture, and a walk over it of at least so many hops."""
    return example.image is not None and example.trace is not None and hop <= (example.hops or 0)


def _masked(example: Example, cell: int, answer: str) -> Example:
    """The example with one cell of the picture blanked."""
    assert example.image is not None and example.trace is not None
    grid = pictures.cell_grid(example.image.size, len(example.trace.objects))
    return replace(example, image=pictures.fill(example.image, grid, cell), answer=answer)

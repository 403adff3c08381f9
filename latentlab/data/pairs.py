"""Whose latents an interchange puts into whom: the treatment, its controls, and what to expect.

A rule finds every example a donor, or none. Donors of the treatment ask about the same picture from
another start, so that it is known what the recipient would answer if its latents were the
donor's. Each control lacks one thing: `self` the other start, `unrelated` the same picture, and
`same_answer` both the same picture and another answer. Rows are made elsewhere.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import get_args

import torch

from latentlab.data.benchmark import Benchmark
from latentlab.data.example import Example, counterfactual_answer, traced
from latentlab.data.scene import CELLS
from latentlab.data.sequence import Examples, LazyExamples, Maker
from latentlab.draws import example_generator
from latentlab.errors import UserError
from latentlab.vocabulary import DonorRule

RULES: tuple[DonorRule, ...] = get_args(DonorRule)
"""Every rule, the treatment first and the sham last."""


@dataclass(frozen=True)
class Pairs:
    """Recipients and their donors, side by side."""

    recipients: Examples
    """Who is asked; the donor's answer is among the options."""

    donors: Examples
    """Whose latents are put in."""

    left_out: int
    """Examples for which the rule found no donor."""

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.donors)

    def __iter__(self) -> Iterator[tuple[Example, Example]]:
        """Every recipient with its donor."""
        return zip(self.recipients, self.donors, strict=True)


def match(rule: str, examples: Examples, seed: int = 0) -> Pairs:
    """Find every example a donor.

    Args:
        rule: one of `RULES`.
        examples: the recipients; the controls draw their donors from them as well.
        seed: seed of the draws. A donor also depends on the examples, but on no batch.

    Returns:
        The pairs in the order of the examples; those without a donor are left out.

    Raises:
        UserError: there is no such rule.
    """
    if rule not in RULES:
        raise UserError(f"there is no donor rule {rule!r}; the rules are {', '.join(RULES)}")
    if rule in ("unrelated", "same_answer"):
        found = _others(examples, seed, rule)
    else:
        makers = (
            partial(examples.__getitem__, i) if rule == "self" else _restarted(examples, i, seed)
            for i in range(len(examples))
        )
        found = {i: maker for i, maker in enumerate(makers) if maker is not None}
    recipients = [partial(_recipient, examples, i, donor) for i, donor in found.items()]
    donors = list(found.values())
    return Pairs(LazyExamples(recipients), LazyExamples(donors), len(examples) - len(found))


def start_cells(example: Example) -> list[int]:
    """Cells to ask from so that every hop leads to another object than the recipient's same hop.

    Of these, the ones whose walk shares fewest cells with the recipient's: a donor whose answer is
    an object that the recipient passes on its way could be mistaken for a walk cut short.

    Returns:
        Row-major cells in rising order; none if the example has no trace, or is not worded as
        `Benchmark.restart` words its donors.
    """
    if example.trace is None or example.hops is None or len(example.trace.objects) != CELLS:
        return []
    trace, hops = traced(example)
    if Benchmark().restart(example, trace.cells[0]).question != example.question:
        return []
    own = trace.cells[: hops + 1]
    walks = {
        cell: [trace.follow(cell, hop) for hop in range(hops + 1)]
        for cell in range(len(trace.objects))
    }
    shared = {
        cell: len(set(walk) & set(own))
        for cell, walk in walks.items()
        if all(a != b for a, b in zip(walk, own, strict=True))
    }
    return [cell for cell, count in shared.items() if count == min(shared.values())]


def expected_answer(recipient: Example, donor: Example, step: int) -> str | None:
    """What the recipient has to answer if the donor's latent of a step stands for its own.

    The high-level model of the interchange intervention (Geiger et al. 2021, arXiv 2106.02997): the
    latent of step t names the object of hop t. Every later hop follows from that object in the
    recipient's picture, and earlier ones no longer matter. Where several steps are exchanged it is
    the last of them that counts. Steps from the question's own number of hops on stand for its last
    object. For a donor on the same picture all this is the donor's own answer.

    Args:
        recipient: who is asked.
        donor: whose latent is put in.
        step: the last exchanged step, from 1.

    Returns:
        The answer; None where it is undefined: without traces, or where the recipient's picture
        does not show the donor's object.
    """
    if recipient.trace is None or recipient.hops is None or donor.trace is None:
        return None
    hop = min(step, recipient.hops)
    name, objects = donor.trace.at(hop), recipient.trace.objects
    if name not in objects:
        return None
    return counterfactual_answer(recipient, hop, objects.index(name))


def _recipient(examples: Examples, index: int, donor: Maker) -> Example:
    """An example that offers its donor's answer, and every answer to expect, in wrong ones' places.

    The first place is the one where `Benchmark.restart` puts a new answer.
    """
    example, other = examples[index], donor()
    steps = range(1, (example.hops or 0) + 1)
    wanted = {other.answer: None} | {expected_answer(example, other, t): None for t in steps}
    choices = list(example.choices)
    own = choices.index(example.answer)
    wrong = [i % len(choices) for i in range(own + 1, own + len(choices))]
    free = [i for i in wrong if choices[i] not in wanted]
    for answer in wanted:
        if answer is None or answer in choices:
            continue
        if free:
            choices[free.pop(0)] = answer
        else:
            choices.append(answer)
    return replace(example, choices=tuple(choices))


def _restarted(examples: Examples, index: int, seed: int) -> Maker | None:
    """The same picture asked from another start."""
    example = examples[index]
    cells = start_cells(example)
    if not cells:
        return None
    stream = example_generator(example.id, seed, "donor same_image")
    cell = cells[int(torch.randint(len(cells), (), generator=stream))]
    return lambda: Benchmark().restart(examples[index], cell)


def _others(examples: Examples, seed: int, rule: str) -> dict[int, Maker]:
    """Examples on another picture, of the same domain and as many hops, drawn for each example."""
    answers: list[str] = []
    groups: dict[tuple[str, int | None, bool], list[int]] = defaultdict(list)
    for i, example in enumerate(examples):
        answers.append(example.answer)
        groups[_group(example)].append(i)
    found: dict[int, Maker] = {}
    uses = [0] * len(answers)
    for i, example in enumerate(examples):
        fitting = [
            j
            for j in groups[_group(example)]
            if j != i and (answers[i] == answers[j]) == (rule == "same_answer")
        ]
        stream = example_generator(example.id, seed, f"donor {rule}")
        places = torch.randperm(len(fitting), generator=stream).tolist()
        drawn = [fitting[place] for place in places]
        # Rarely used donors first, so that no few of them speak for all; the sort keeps the draw.
        for j in sorted(drawn, key=uses.__getitem__):
            if example.image is None or example.image != examples[j].image:
                found[i] = partial(examples.__getitem__, j)
                uses[j] += 1
                break
    return found


def _group(example: Example) -> tuple[str, int | None, bool]:
    """What a recipient and its control donor have in common."""
    return example.domain, example.hops, example.image is not None

"""What a latent could be about, as tokens: the truth where it is known, and its matched controls.

A hop's object is compared with another object of the same picture that the walk never meets, drawn
once for each example; an answer with another option. So a reading that names objects of this
picture at random, or options, does as well on the control as on the target.
"""

import torch

from latentlab.data.example import Example
from latentlab.draws import example_generator
from latentlab.prompts import Prompter

ANSWER, OWN = "answer", "own"
"""Targets that every example has: the right answer, and what the model itself says next."""

TARGET = "target"
"""Kind of a row about what is asked for; the others are controls."""

OTHER_OBJECT, OTHER_OPTION = "other object", "other option"
"""The controls."""


def hop_name(hop: int) -> str:
    """Name of the target that is the object met at a hop."""
    return f"hop {hop}"


def control_of(target: str) -> str | None:
    """The control of a target, if it has one."""
    if target.startswith("hop "):
        return OTHER_OBJECT
    return OTHER_OPTION if target == ANSWER else None


def drawn_option(example: Example, seed: int) -> int | None:
    """Index of a wrong option, drawn for the example; None where there is none."""
    wrong = [i for i, choice in enumerate(example.choices) if choice != example.answer]
    return wrong[_draw(example, seed, "option", len(wrong))] if wrong else None


def targets_of(example: Example, prompter: Prompter, seed: int) -> dict[str, list[int]]:
    """First tokens of everything a state of this example is asked about.

    Returns:
        For each target the ids of its spellings (`first_tokens`): every hop's object and the other
        object where the trace is known, the answer, and the other option. `OWN` is not among them.
    """
    found: dict[str, list[int]] = {}
    answers = prompter.format.answer_texts(example.choices) if example.choices else []
    right = answers[example.choices.index(example.answer)] if answers else example.answer
    if example.trace is not None and example.hops is not None:
        walk = range(1, example.hops + 1)
        met = {example.trace.at(hop) for hop in range(example.hops + 1)}
        for hop in walk:
            found[hop_name(hop)] = first_tokens(prompter, example.trace.at(hop))
        taken = {token for name in met for token in first_tokens(prompter, name)}
        free = [name for name in example.trace.objects if name not in met]
        spelled = [first_tokens(prompter, name) for name in free]
        distinct = [ids for ids in spelled if not taken & set(ids)]
        if distinct:
            found[OTHER_OBJECT] = distinct[_draw(example, seed, "object", len(distinct))]
    found[ANSWER] = first_tokens(prompter, right)
    if (other := drawn_option(example, seed)) is not None:
        found[OTHER_OPTION] = first_tokens(prompter, answers[other])
    return found


def first_tokens(prompter: Prompter, text: str) -> list[int]:
    """Tokens that a text can begin with: at the start of a line, and after other text."""
    found = []
    for spelling in (text, prompter.format.joint + text):
        ids = prompter.encode(spelling)
        said = [token for token in ids if prompter.decode([token])]  # some mark a space only
        found += (said or ids)[:1]
    return list(dict.fromkeys(found))


def _draw(example: Example, seed: int, what: str, n: int) -> int:
    return int(torch.randint(n, (), generator=example_generator(example.id, seed, what)))

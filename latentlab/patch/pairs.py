"""Pairs of runs for activation patching: a clean question and a corrupt one.

The two differ in as little as the data allows and have different answers, so that what separates
their activations is what separates their answers. Both are read by the same options (`readout.py`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from latentlab.data import Benchmark, Example, Examples, counterfactual_cells
from latentlab.data.pairs import match, start_cells
from latentlab.draws import example_generator
from latentlab.errors import UserError
from latentlab.prompts import Prompter
from latentlab.vocabulary import PairRule

_ATTEMPTS = 4  # draws of a third question; where there are few, one may hit the partner again

CHANGED_HOP = 1
"""The hop whose mark is another one in pairs of one question: all later ones follow from it."""


@dataclass(frozen=True, eq=False)
class Pair:
    """A clean question, a corrupt one, and the options that both are read by."""

    clean: Example
    """The question as the data asks it."""

    corrupt: Example
    """The one it is set against; its answer is another one."""

    options: tuple[int, ...]
    """First token of each option's answer, those of both questions, without doubles."""

    clean_option: int
    """Index of the right option of the clean question."""

    corrupt_option: int
    """Index of that of the corrupt question."""

    unrelated: Example | None = None
    """A third question, on another picture and with another answer than the clean one, where the
    data has any: its activations are a control."""


def rule_for(rule: PairRule, examples: Sequence[Example]) -> PairRule:
    """Settle `auto`: another question about the same picture where the data knows of any."""
    if rule != "auto":
        return rule
    return "same_image" if start_cells(examples[0]) else "unrelated"


def pairs_of(
    rule: PairRule, examples: Examples, prompter: Prompter, seed: int, whole: Examples
) -> list[Pair]:
    """Find each example the run that it is set against.

    Args:
        rule: `same_image` asks about the same picture from another start, `same_question` the same
            about a picture one mark of which leads elsewhere, `unrelated` another example of the
            data; `auto` is the first of these that the data allows.
        examples: the clean questions.
        prompter: how a model words its answers.
        seed: seed of what is drawn.
        whole: the data that the examples are the first of, which redraws pictures.

    Returns:
        The pairs in the order of the examples. Left out are those without a partner and those both
        of whose answers begin with the same token.

    Raises:
        UserError: the data has no such pairs, or no two answers begin differently.
    """
    rule = rule_for(rule, examples)
    if rule == "same_question":
        found: Iterable[tuple[Example, Example]] = _relinked(examples, seed, whole)
    else:
        found = match(rule, examples, seed)
    partners = {clean.id: (clean, corrupt) for clean, corrupt in found}
    thirds = _thirds({name: corrupt.id for name, (_, corrupt) in partners.items()}, examples, seed)
    pairs = [_pair(*both, thirds.get(name), prompter) for name, both in partners.items()]
    if not pairs:
        needed = {
            "same_image": "traces and questions as the benchmark has them",
            "same_question": "hops that can lead elsewhere",
            "unrelated": "two questions of one domain and length, on other pictures, with other "
            "answers",
        }[rule]
        raise UserError(f"--pair {rule} needs {needed}; the data has none")
    told_apart = [pair for pair in pairs if pair is not None]
    if not told_apart:
        raise UserError(
            "the answers of every pair begin with the same token, so they cannot be told apart "
            "where they begin; ask for answers by letter"
        )
    return told_apart


def _thirds(partners: Mapping[str, str], examples: Examples, seed: int) -> dict[str, Example]:
    """Find each clean question an unrelated one that is not its partner already."""
    thirds: dict[str, Example] = {}
    for attempt in range(1, _ATTEMPTS + 1):
        for clean, donor in match("unrelated", examples, seed + attempt):
            if donor.id != partners.get(clean.id):
                thirds.setdefault(clean.id, donor)
        if partners.keys() <= thirds.keys():
            break
    return thirds


def _pair(
    clean: Example, corrupt: Example, unrelated: Example | None, prompter: Prompter
) -> Pair | None:
    """Put two examples together; None where their answers begin alike."""
    sides = []
    for example in (clean, corrupt):
        texts = prompter.format.answer_texts(example.choices)
        tokens = [prompter.answer_ids(text)[0] for text in texts]
        sides.append((tokens, tokens[example.choices.index(example.answer)]))
    (tokens, right), (others, other) = sides
    if right == other:
        return None
    options = tuple(dict.fromkeys([*tokens, *others]))
    return Pair(clean, corrupt, options, options.index(right), options.index(other), unrelated)


def _relinked(examples: Examples, seed: int, whole: Examples) -> Iterator[tuple[Example, Example]]:
    """The same questions about pictures with one other mark, drawn from each example's stream.

    Raises:
        UserError: the data cannot redraw its pictures.
    """
    if not isinstance(whole, Benchmark):
        raise UserError("--pair same_question needs pictures that can be redrawn: the benchmark's")
    for i, example in enumerate(examples):
        cells = counterfactual_cells(example, CHANGED_HOP)
        if cells:
            stream = example_generator(example.id, seed, "pair")
            cell = cells[int(torch.randint(len(cells), (), generator=stream))]
            corrupt = whole.relink(i, CHANGED_HOP, cell)
            yield replace(example, choices=corrupt.choices), corrupt

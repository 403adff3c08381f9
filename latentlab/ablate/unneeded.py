"""Which positions of a prompt its question does not need, as far as the data tell.

A control that overwrites any positions of the prompt hits what the question needs: the cells of its
walk, the name of its start, its number of hops. Traces tell these apart from the rest.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from latentlab.backbones import ImageInputs
from latentlab.data.benchmark import NUMBERS
from latentlab.data.example import Example
from latentlab.reasoner import Reasoner

SparedPositions = Mapping[str, Sequence[int]]
"""Positions of each example, by identifier."""


@dataclass(frozen=True)
class Unneeded:
    """What of each prompt is not needed; empty where the data do not tell."""

    patches: SparedPositions = field(default_factory=dict)
    """Patches that no hop begins or ends at, counted over the picture."""

    image: SparedPositions = field(default_factory=dict)
    """The positions of these patches, counted from the beginning of the prompt."""

    words: SparedPositions = field(default_factory=dict)
    """Positions of the words of the question that name neither its start nor how many hops."""


def unneeded(reasoner: Reasoner, examples: Sequence[Example]) -> Unneeded:
    """Find what the prompts of a study do not need.

    Patches are told by traces, one patch to a cell. Words are told where every question names its
    start and its number of hops, and where the tokenizer knows which letters a token stands for.

    Args:
        reasoner: whose prompts.
        examples: what is asked.
    """
    patches: dict[str, list[int]] = {}
    image: dict[str, list[int]] = {}
    words: dict[str, list[int]] = {}
    of_size: dict[tuple[int, int], ImageInputs] = {}
    for example in examples:
        trace, hops, picture = example.trace, example.hops, example.image
        if trace is None or hops is None or picture is None:
            return Unneeded()
        if picture.size not in of_size:
            of_size[picture.size] = reasoner.backbone.prepare_images([picture])
        prepared = of_size[picture.size]
        if prepared.counts[0] != len(trace.objects):
            return Unneeded()
        text = reasoner.prompter.prompt_text(example, prepared.texts[0])
        ids, token = reasoner.prompter.encode(text), reasoner.backbone.image_token_id
        where = [i for i, found in enumerate(ids) if found == token]
        walk = trace.cells[: hops + 1]
        patches[example.id] = [cell for cell in range(len(where)) if cell not in walk]
        image[example.id] = [where[cell] for cell in patches[example.id]]
        needed = ([trace.at(0)], [NUMBERS[hops - 1], str(hops)])
        words[example.id] = _rest(reasoner, text, example.question, needed)
    return Unneeded(patches, image, words if all(words.values()) else {})


def _rest(
    reasoner: Reasoner, text: str, question: str, needed: Sequence[Sequence[str]]
) -> list[int]:
    """Positions of the question's tokens that share no letter with any name of what it needs."""
    tokenizer, begin = reasoner.prompter.tokenizer, text.find(question)
    spans = [_span(names, text, begin, begin + len(question)) for names in needed]
    if begin < 0 or not all(spans) or not tokenizer.is_fast:
        return []
    taken = {place for span in spans for place in span}
    offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    return [
        i
        for i, (first, end) in enumerate(offsets["offset_mapping"])
        if begin <= first < end <= begin + len(question) and not taken & set(range(first, end))
    ]


def _span(names: Sequence[str], text: str, begin: int, end: int) -> range:
    """The letters of the first of some names that a part of a text holds; none if it holds none."""
    pattern = rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)"
    found = re.compile(pattern).search(text, max(begin, 0), end)
    return range(*found.span()) if found else range(0)

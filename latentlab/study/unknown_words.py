"""Whether a model knows the words that it is asked in.

A small model has the words that it was trained on and one token for all others. Asked in other
words it answers by chance, and nothing about its latents can be learnt from that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from latentlab.data import Example
from latentlab.reasoner import Reasoner

LOOKED = 64
"""Questions that are looked at."""

FEW = 0.1
"""Share of unknown tokens beyond which a model cannot read its questions."""


@dataclass(frozen=True)
class UnknownWords:
    """Tokens of some questions and their options that a model does not know."""

    share: float
    """Among all tokens, 0 to 1."""

    example: str
    """The first text with such a token; empty where there is none."""

    @property
    def readable(self) -> bool:
        """Whether enough is known to read the questions."""
        return self.share <= FEW


def unknown_words(reasoner: Reasoner, examples: Sequence[Example]) -> UnknownWords:
    """Look for unknown tokens in the first questions and their options."""
    tokenizer = reasoner.prompter.tokenizer
    unknown, total, first = 0, 0, ""
    if tokenizer.unk_token_id is not None:
        for example in islice(examples, LOOKED):
            for text in (example.question, *example.choices):
                ids = tokenizer(text, add_special_tokens=False)["input_ids"]
                found = ids.count(tokenizer.unk_token_id)
                unknown, total = unknown + found, total + len(ids)
                first = first or (text if found else "")
    return UnknownWords(unknown / max(total, 1), first)

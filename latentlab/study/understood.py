"""What a model makes of words: those that it does not know, and options that it cannot tell apart.

A tokenizer of words makes one token of all that it does not know. A question in such words is the
same question as any other, and options in them are one option.
"""

from collections.abc import Iterable, Iterator

from latentlab.console import warn
from latentlab.data import Example
from latentlab.prompts import Prompter

MOST_ASKED = 500
"""Examples that are looked through."""

UNREADABLE = 0.1
"""Share of unknown words beyond which a model cannot read its questions."""

SHOWN = 3
"""Unknown words that are named."""


def remark_on_words(prompter: Prompter, examples: Iterable[Example], name: str, data: str) -> None:
    """Warn of words that a model does not know, and of options that are the same to it.

    Args:
        prompter: what words questions for the model.
        examples: what it is asked.
        name: what to call the model.
        data: what to call the examples.
    """
    unknown: dict[str, None] = {}
    lost, total, tied, asked = 0, 0, 0, 0
    for example, _ in zip(examples, range(MOST_ASKED), strict=False):
        missed, words = _missed(prompter, _texts(prompter, example))
        lost, total = lost + len(missed), total + words
        unknown |= dict.fromkeys(missed)
        answers = prompter.format.answer_texts(example.choices)
        tied += len({tuple(prompter.encode(text)) for text in answers}) < len(answers)
        asked += 1
    if lost:
        named = ", ".join(repr(word) for word in list(unknown)[:SHOWN])
        percent = f"{100 * lost / total:.0f}" if 2 * lost >= 0.01 * total else "less than 1"
        warn(
            f"{name} does not know {percent} % of the words of {data} (such as {named}): they are "
            "all the same to it"
        )
    if tied:
        warn(
            f"{name} cannot tell apart some options of {tied} of {asked} questions of {data}: "
            "they are the same tokens to it, and the first of them counts"
        )


def share_unknown(prompter: Prompter, examples: Iterable[Example]) -> float:
    """Share of the tokens of some examples that stand for words which a model does not know."""
    lost, total = 0, 0
    for example, _ in zip(examples, range(MOST_ASKED), strict=False):
        missed, words = _missed(prompter, _texts(prompter, example))
        lost, total = lost + len(missed), total + words
    return lost / total if total else 0.0


def _texts(prompter: Prompter, example: Example) -> Iterator[str]:
    yield prompter.format.question(example)
    yield from prompter.format.answer_texts(example.choices)


def _missed(prompter: Prompter, texts: Iterable[str]) -> tuple[list[str], int]:
    """Words that a tokenizer does not know, and how many tokens there are in all."""
    tokenizer, missed, total = prompter.tokenizer, [], 0
    unknown = tokenizer.unk_token_id
    for text in texts:
        if unknown is None or not tokenizer.is_fast:
            total += len(prompter.encode(text))
            continue
        coded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        ids, places = coded["input_ids"], coded["offset_mapping"]
        total += len(ids)
        pairs = zip(ids, places, strict=True)
        missed += [text[a:b] for token, (a, b) in pairs if token == unknown]
    return missed, total

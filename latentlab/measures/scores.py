"""Reading an answer: one strict parser, and the rules by which published numbers were made.

Rules differ in what they forgive, so that one set of replies has several accuracies. Ours is the
strict one; the others are here to be compared with numbers that were made by them, each under its
own name.
"""

import re
from collections.abc import Sequence
from string import ascii_uppercase
from typing import Literal, NamedTuple

Step = Literal["brackets", "choice text", "capital", "small letter", "none"]
"""Which step of the M3CoT rule decided."""

M3COT_LETTERS = "ABCDEF"
"""Letters that the M3CoT rule knows as words."""

_LETTER = re.compile(r"\(?([A-Z])(?:\s*[.:)]|\s*$|\n)")
_CANDIDATE = re.compile(r"(?:answer is|Answer:)\s*\(?([A-Z])")
_IN_BRACKETS = re.compile(r"\(([A-Za-z])\)")
_STOPS = re.compile(r"[\n.,!?]")
_END_TOKENS = re.compile(r"(?:\s*(?:</s>|<eos>|<\|im_end\|>|<\|endoftext\|>))+\s*$")


class Reading(NamedTuple):
    """What the M3CoT rule makes of a reply."""

    letter: str
    """A capital, perhaps one that no choice has; empty where the rule found none."""

    step: Step
    """The step that decided."""


def parse_answer(
    said: str, answers: Sequence[str], form: Literal["letter", "text", "index"]
) -> int | None:
    """Read which choice an answer names, strictly.

    Args:
        said: the text after the answer marker.
        answers: the choices as the model words them (letters, texts or numbers).
        form: "letter": the text must begin with one letter that stands alone, as in "B", "(B)" or
            "B. cat", and not as in "A cat" or "A and B";
            "text", "index": it must equal one choice's text or number, apart from case, spacing
            and a full stop.

    Returns:
        The index of the choice, or None where the text names none or is ambiguous.
    """
    if form == "letter":
        match = _LETTER.match(said.strip())
        said = match.group(1) if match else ""
    matches = [i for i, answer in enumerate(answers) if _plain(answer) == _plain(said)]
    return matches[0] if len(matches) == 1 else None


def lenient_match(text: str, letter: str) -> bool:
    """Score as the released IVT-LR code does: the gold letter is among all letters found.

    Every capital after "answer is" or "Answer:" counts, so "Answer: According to ... answer is B"
    is right for both A and B. Kept to compare with published numbers only.
    """
    return letter in _CANDIDATE.findall(text)


def strict_choice(
    reply: str,
    choices: Sequence[str],
    form: Literal["letter", "text", "index"] = "letter",
    marker: str = "Answer:",
) -> int | None:
    """Read a whole reply strictly: what stands after the answer marker, by `parse_answer`.

    Args:
        reply: all that a model wrote, its steps and its end token among it.
        choices: texts of the choices.
        form: whether the answer is a choice's letter, its text or its number from 0.
        marker: what stands before the answer; the last one counts. A reply without one is read
            from its beginning.

    Returns:
        The index of the choice, or None where the reply names none or is ambiguous.
    """
    said = _END_TOKENS.sub("", reply).rpartition(marker)[2]
    worded = {
        "letter": ascii_uppercase[: len(choices)],
        "text": choices,
        "index": [str(i) for i in range(len(choices))],
    }
    return parse_answer(said, worded[form], form)


def answer_part(reply: str) -> str:
    """What of a reply counts as the answer: the first step of the M3CoT rule.

    It is what follows the last `[Answer]`, up to `[Rationale]` or `[Context]`; all of a reply that
    has none.
    """
    _, marked, rest = reply.rpartition("[Answer]")
    return re.split(r"\[Rationale\]|\[Context\]", rest)[0] if marked else reply


def official_m3cot(reply: str, choices: Sequence[str]) -> Reading:
    """Score as the M3CoT project does (Chen et al., 2024; its evaluation code).

    Of the part that counts (`answer_part`), the first of these that finds something decides:

    1. the last single letter in round brackets, as a capital;
    2. the last choice, in the order of the choices, whose text occurs, in capitals or not;
    3. the last choice, in the order of the choices, whose capital letter is one of the words, which
       are what is left between blanks, line breaks and ``. , ! ?``;
    4. the same with small letters, so that the article "a" names the first choice.

    Args:
        reply: the last reply of a conversation, as it was generated.
        choices: texts of the choices; of more than six the rule knows no letters.
    """
    said = answer_part(reply)
    if bracketed := _IN_BRACKETS.findall(said):
        return Reading(bracketed[-1].upper(), "brackets")
    words = set(_STOPS.sub(" ", said).split(" "))
    named = dict(zip(M3COT_LETTERS, choices, strict=False))
    found: dict[Step, list[str]] = {
        "choice text": [at for at, text in named.items() if text.lower() in said.lower()],
        "capital": [at for at in named if at in words],
        "small letter": [at for at in named if at.lower() in words],
    }
    for step, letters in found.items():
        if letters:
            return Reading(letters[-1], step)
    return Reading("", "none")


def scienceqa_index(reply: str) -> int | None:
    """Score as the released IVT-LR code does on ScienceQA, whose answers are indices from 0.

    After the first "the answer is", or else "answer is:" (any case), the first digit is the index;
    where no digit follows, the first letter of the alphabet that follows is, A being 0. That letter
    may be any word's: "the answer is cat" reads 2.

    Returns:
        The index, perhaps one that no choice has; None where there is no such phrase, or neither
        digit nor letter after it.
    """
    for phrase in ("the answer is", "answer is:"):
        _, found, rest = reply.lower().partition(phrase)
        if found:
            if digit := re.search(r"[0-9]", rest):
                return int(digit[0])
            letter = re.search(r"[a-z]", rest)
            return None if letter is None else ord(letter[0]) - ord("a")
    return None


def _plain(text: str) -> str:
    return " ".join(text.lower().strip().rstrip(".").split())

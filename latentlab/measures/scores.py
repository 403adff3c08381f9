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
_CANDIDATE = re.compile(r"(?:the\s+answer\s+is|answer:)\s*([A-Z])", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"\(([A-Za-z])\)")
_STOPS = re.compile(r"[\n.,!?]")
_BEFORE_INDEX = (
    r"therefore,?\s*the\s+answer\s+is\s+",
    r"the\s+answer\s+is\s+",
    r"answer\s+is:?\s*",
)
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
    """Score as the released IVT-LR code does on M3CoT: the gold letter is among all that are found.

    Every letter right after "the answer is" or "answer:", in capitals or not, counts, be it the
    first of a word: "Answer: According to ... the answer is B" is right for both A and B, and "the
    answer is (B)" for none. Kept to compare with published numbers only. The release reads the
    prompt as well, whose own "Answer:" makes the first letter of a reply count.
    """
    return letter in map(str.upper, _CANDIDATE.findall(text))


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

    The first digit right after "Therefore, the answer is" is the index; where there is none, that
    after "the answer is", and else after "answer is" with or without a colon. Where no phrase has a
    digit right after it, a letter is looked for in the same places, A being 0. It may be any word's
    first: "the answer is cat" reads 2, and "the answer is (B)" nothing.

    Returns:
        The index, perhaps one that no choice has; None where nothing is found.
    """
    for kind in (r"(\d)", "([A-Z])"):
        for phrase in _BEFORE_INDEX:
            if match := re.search(phrase + kind, reply, re.IGNORECASE):
                found = match[1].upper()
                return int(found) if found.isdigit() else ord(found) - ord("A")
    return None


def _plain(text: str) -> str:
    return " ".join(text.lower().strip().rstrip(".").split())

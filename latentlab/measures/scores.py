"""Reading an answer: one strict parser, and the published lenient one as a labelled extra."""

import re
from collections.abc import Sequence
from typing import Literal

_LETTER = re.compile(r"\(?([A-Z])(?:\s*[.:)]|\s*$|\n)")
_CANDIDATE = re.compile(r"(?:answer is|Answer:)\s*\(?([A-Z])")


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
    is right for both A and B. CachedExamples to compare with published numbers only.
    """
    return letter in _CANDIDATE.findall(text)


def _plain(text: str) -> str:
    return " ".join(text.lower().strip().rstrip(".").split())

"""From a rationale to the steps that training replaces, by the rule of the IVT-LR release."""

from __future__ import annotations

from itertools import pairwise

STEPS = 3
"""Steps that the release merges a rationale into at most."""

_BETWEEN = ". "


def split_steps(rationale: str, most: int = STEPS) -> tuple[str, ...]:
    """Split a rationale into sentences, and merge them into at most so many steps.

    Line breaks become blanks, and two sentences are divided by a full stop and a blank, wherever
    that stands: "e.g. this" is divided as well. Up to `most` sentences stay as they are. More are
    merged into `most` runs of consecutive sentences, as equally long as can be, of which the first
    take one more where that does not come out even. The full stop between two steps is lost, as in
    the release.

    Args:
        rationale: The text; empty for none.
        most: Steps at most, at least 1.

    Returns:
        The steps in their order, none for an empty text.
    """
    sentences = rationale.replace("\n", " ").strip().split(_BETWEEN)
    if not sentences[-1]:
        sentences.pop()
    if len(sentences) <= most:
        return tuple(sentences)
    size, longer = divmod(len(sentences), most)
    starts = [i * size + min(i, longer) for i in range(most + 1)]
    return tuple(_BETWEEN.join(sentences[start:end]) for start, end in pairwise(starts))

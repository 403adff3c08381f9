"""Which words of a reply name an object on the true walk, and which one off it."""

import re
from collections.abc import Sequence

from latentlab.data import Example

Piece = str | tuple[str, bool]
"""Words of a reply; with the name of an object, whether that lies on the true walk."""


def marked(text: str, example: Example) -> list[Piece]:
    """A reply in pieces, each object of the picture that it names in a piece of its own.

    Args:
        text: the reply.
        example: what it is about; without a trace nothing is known, and the reply is one piece.
    """
    trace = example.trace
    if trace is None:
        return [text] if text else []
    walk = {trace.at(hop) for hop in range((example.hops or 0) + 1)}
    return _split(text, trace.objects, walk)


def _split(text: str, names: Sequence[str], walk: set[str]) -> list[Piece]:
    # Of names that begin alike the longest is meant.
    either = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    pieces: list[Piece] = []
    for i, part in enumerate(re.split(rf"(?<!\w)({either})(?!\w)", text)):
        if part:
            pieces.append((part, part in walk) if i % 2 else part)
    return pieces

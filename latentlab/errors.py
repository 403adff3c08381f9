"""The one exception that means "you asked for something I cannot do".

Everything a user can get wrong (a misspelt name, settings that contradict each other, a folder
that holds other results) raises `UserError`. The frame of the commands turns it into a single
line; any other exception is a bug of ours and keeps its traceback.
"""

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 1200
"""Characters of a message that are shown: what users bring may be of any length."""


class UserError(Exception):
    """A mistake of the user's, told in one line: what is wrong, where, and what to do instead."""

    def __init__(self, message: str) -> None:
        """Keep `message` on one line that every screen can show, whatever was put into it."""
        line = " ".join(message[:LONGEST].split())
        shown = (sign if sign.isprintable() else ascii(sign)[1:-1] for sign in line)
        super().__init__("".join(shown) + ("..." if len(message) > LONGEST else ""))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out: Python says so in one way, and torch in three."""
    kind, text = type(error).__name__, str(error)
    torch_says = "OutOfMemory" in kind or "out of memory" in text or "allocate memory" in text
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and torch_says)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The hint that ends a message about an unknown name.

    Args:
        name: What the user wrote.
        known: Every name that would have been accepted.

    Returns:
        "did you mean 'relay'?" when something known is close to `name`, otherwise the sorted list
        of what is known, so that the user never has to look it up.
    """
    names = sorted(set(known))
    close = get_close_matches(name, names, n=1)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"known: {', '.join(names)}" if names else "nothing is known here"

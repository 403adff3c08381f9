"""The two streams: results on standard output, remarks and errors on standard error.

A terminal gets lines that wrap between words, a pipe gets each text on one line.
"""

import re
import sys
import textwrap

from rich.console import Console
from rich.text import Text

_PIPE_WIDTH = 10_000
"""Columns of a pipe: as many as anything needs."""

_PLAIN = str.maketrans(
    {
        "\xa0": " ",
        "−": "-",
        "–": "-",
        "±": "+/-",
        "×": "x",
        "…": "...",
        "≥": ">=",
        "≤": "<=",
        "·": "-",
    }
)
"""What stands for characters that a stream cannot write."""

_GLUED = re.compile(
    r"\[[^\[\]]{1,40}\]|(?<=\d) (?=(?:%|points?|nats?|logits?|ms|s|h|GB|GiB|SD)\b|%|\[)"
    r"|(?<=%) (?=\[)|(?<=points) (?=\[)|(?<=nats) (?=\[)|(?<=n) (?== )|(?<=n =) (?=\d)"
)
"""Blanks at which no line may end: within an interval, and between a number and its unit."""

_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
"""What moves a cursor, rings a bell, turns the direction of writing, or is half a character."""

_HELD = "\0"

results = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
remarks = Console(stderr=True, highlight=False)

_wide = False
_told: set[str] = set()


def widen(wide: bool) -> None:
    """Show tables in full from now on, or again only what the screen has room for."""
    global _wide
    _wide = wide


def is_wide() -> bool:
    """Whether tables are to be shown in full."""
    return _wide


def hush(quiet: bool) -> None:
    """Show nothing, until told otherwise: of several processes only one speaks."""
    results.quiet = remarks.quiet = quiet


def show(text: str) -> None:
    """Put a sentence of results on standard output; a terminal gets it wrapped between words."""
    _put(results, text)


def aside(text: str) -> None:
    """Put on standard output how results are to be read: dim, where a terminal can."""
    _put(results, text, style="dim")


def note(text: str) -> None:
    """Tell what is going on, on standard error."""
    _put(remarks, text)


def note_once(text: str) -> None:
    """Tell what is going on, unless the command has told exactly this."""
    if text not in _told:
        _told.add(text)
        note(text)


def forget() -> None:
    """Begin a command: nothing has been told."""
    _told.clear()


def warn(text: str) -> None:
    """Tell what the reader of the results should be wary of, on standard error."""
    _put(remarks, text, ("warning: ", "yellow"))


def fail(text: str) -> None:
    """Tell why the command stops, on standard error, in exactly one line."""
    _put(remarks, text, ("error: ", "bold red"))


def wrapped(text: str, width: int, first: int = 0, inner: int = 0) -> list[str]:
    """Lines of at most `width` columns, cut between words only; a longer word stands alone.

    Args:
        text: what is cut; its own line breaks stay.
        width: columns of a line.
        first: columns of the first line that are taken.
        inner: columns by which all lines but the first are set in.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        whole = _GLUED.sub(lambda found: found[0].replace(" ", _HELD), paragraph)
        indent = " " * (len(whole) - len(whole.lstrip(" ")) + inner)
        cut = textwrap.wrap(
            whole,
            max(width, 1),
            initial_indent=" " * (first if not lines else 0),
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
            drop_whitespace=True,
        ) or [""]
        if not lines:
            cut[0] = cut[0][first:]
        lines += [line.replace(_HELD, " ") for line in cut]
    return lines


def visible(text: str) -> str:
    """A text in which control characters are seen as their numbers, and do nothing.

    Line breaks and tabs stay. Whatever comes from data or names goes through this before it is
    shown: on the screen, on the page, in tables and figures.
    """
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def writable(text: str, console: Console) -> str:
    """A text as a stream can write it."""
    text = visible(text)
    try:
        text.encode(console.encoding)
    except UnicodeEncodeError:
        plain = text.translate(_PLAIN).encode(console.encoding, "backslashreplace")
        text = plain.decode(console.encoding)
    return text


def _put(console: Console, text: str, label: tuple[str, str] = ("", ""), style: str = "") -> None:
    """Write one text, behind its label."""
    text = writable(text, console)
    if console.is_terminal:
        text = "\n".join(wrapped(text, console.width, len(label[0])))
    console.print(Text.assemble(label, (text, style)), soft_wrap=True)

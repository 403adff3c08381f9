"""Texts and names that no question, model or table can do anything with."""

import re
from collections.abc import Iterable, Sequence

LONGEST_TEXT = 100_000
"""Characters of the longest text that is read: more are no question."""

LONGEST_NAME = 300
"""Characters of the longest name that stands in a table."""

SHOWN = 60
"""Characters of an id or a name that a message shows."""

ALL = "all"
"""What tables call all domains or topics together, and nothing else."""

TEXTS = ("question", "answer", "context")
"""Fields of an example that models read."""

NAMES = ("id", "domain", "topic", "question_type")
"""Fields of an example that stand in tables."""

# Controls, halves of characters, ends of lines, and marks that turn the direction of writing.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def bad_text(texts: Iterable[tuple[str, str]]) -> str | None:
    """Why one of some texts cannot be read, if any cannot; each stands beside what it is called."""
    for what, text in texts:
        if len(text) > LONGEST_TEXT:
            return f"{what} has {len(text):,} characters; {LONGEST_TEXT:,} are read"
    return None


def bad_name(names: Iterable[tuple[str, str]]) -> str | None:
    """Why one of some names cannot stand in a table, if any cannot."""
    for what, name in names:
        if len(name) > LONGEST_NAME:
            return f"{what} has {len(name):,} characters; {LONGEST_NAME} are read"
        if _UNSEEN.search(name):
            return f"{what} {name[:SHOWN]!r} holds a control character"
        if name == ALL and what != "id":
            return f"{what} cannot be {ALL!r}, which stands for all of them"
    return None


def bad_choices(choices: Sequence[str]) -> str | None:
    """Why choices cannot be told apart, or chosen."""
    if any(len(choice) > LONGEST_TEXT for choice in choices):
        return f"a choice has more than {LONGEST_TEXT:,} characters"
    if len(set(choices)) != len(choices):
        return "two choices have the same text"
    if len({" ".join(choice.split()) for choice in choices}) != len(choices):
        return "two choices differ in blanks alone"
    return None if all(choice.strip() for choice in choices) else "a choice is empty"

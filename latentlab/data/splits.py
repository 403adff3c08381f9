"""Names of splits: ours, and those that data goes by."""

from __future__ import annotations

from collections.abc import Sequence

from latentlab.errors import UserError, did_you_mean

SPLIT_NAMES = {
    "train": ("train",),
    "validation": ("validation", "dev", "val", "valid"),
    "test": ("test",),
}
"""Our splits, each with the names that data gives it."""

KNOWN = tuple(name for names in SPLIT_NAMES.values() for name in names)
"""Every name that is understood."""


class MissingSplitError(UserError):
    """The data has splits, and not the one that is asked for."""


def names_of(split: str) -> tuple[str, ...]:
    """Every name that a split goes by.

    Raises:
        UserError: There is no such split.
    """
    for names in SPLIT_NAMES.values():
        if split in names:
            return names
    raise UserError(f"data: no split is called {split!r}; {did_you_mean(split, KNOWN)}")


def choose_split(data: str, split: str, there: Sequence[str]) -> str:
    """What data calls a split.

    Args:
        data: What messages call the data.
        split: The split that is asked for.
        there: The splits that the data has.

    Raises:
        MissingSplitError: It has none of that name.
        UserError: Nothing is called so.
    """
    for name in names_of(split):
        if name in there:
            return name
    raise MissingSplitError(f"{data} has no split {split!r}; it has {', '.join(there)}")

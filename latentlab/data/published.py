"""The published data sets, by name or known by their columns, from the hub or from a copy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from latentlab.data import m3cot, scienceqa
from latentlab.data.collection import ReadRow, TableExamples
from latentlab.data.layouts import open_table
from latentlab.data.options import Options
from latentlab.data.sequence import Examples
from latentlab.data.stored import hub_table
from latentlab.data.tables import Table
from latentlab.errors import UserError, did_you_mean
from latentlab.schema import exists

PICTURES = ("only", "all")
"""Which questions are asked: those with a picture, or all."""

_NEEDED = ("question", "choices", "answer")


class Reader(Protocol):
    """Makes the function that reads the rows of a data set."""

    def __call__(self, table: Table, all_examples: bool) -> ReadRow:
        """Read from a table, also questions without a picture if told so."""
        ...


@dataclass(frozen=True)
class Published:
    """One published data set."""

    hub: str
    """Its repository on the hub."""

    columns: frozenset[str]
    """By these a table is known to be it."""

    reader: Reader
    """What reads its rows."""

    size: int | None
    """Width and height that its pictures are published to be brought to; None as they are."""


PUBLISHED = {
    "m3cot": Published(m3cot.HUB, m3cot.COLUMNS, m3cot.M3CoTReader, m3cot.SIZE),
    "scienceqa": Published(scienceqa.HUB, scienceqa.COLUMNS, scienceqa.ScienceQAReader, None),
}
"""Every published data set."""


def load_published(name: str, options: Options) -> Examples:
    """A data set from the folder that `root` names, or from the hub.

    Raises:
        UserError: It cannot be had, is another data set, or an option is unknown.
    """
    options.check(name, ("root", "size", "pictures"))
    if "root" not in options:
        return read_published(name, hub_table(PUBLISHED[name].hub, options["split"]), options)
    root = Path(options["root"])
    if not exists(root):
        raise UserError(f"data: {name} has root={root}, but there is no such file or folder")
    return read_published(name, open_table(root, options["split"]), options)


def read_published(name: str, table: Table, options: Options) -> Examples:
    """A data set out of a table.

    Raises:
        UserError: The table is another data set, or an option is out of range.
    """
    if missing := [column for column in _NEEDED if column not in table.columns]:
        hint = did_you_mean(missing[0], table.columns)
        raise UserError(f"{table.name} is no {name}: it has no column {missing[0]!r}; {hint}")
    asked = options.get("pictures", "only")
    if asked not in PICTURES:
        raise UserError(f"data: pictures={asked}; {did_you_mean(asked, PICTURES)}")
    read = PUBLISHED[name].reader(table, asked == "all")
    return TableExamples(table, read, options.strict, options.size(PUBLISHED[name].size))


def recognised(table: Table) -> str | None:
    """The name of the published data set that a table is, if it is one."""
    found = (name for name, known in PUBLISHED.items() if known.columns <= set(table.columns))
    return next(found, None)

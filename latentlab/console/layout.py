"""How a table is brought to the width of a screen: whole words, whole numbers, whole intervals.

Columns that a table names as dispensable go first, in its order. What still does not fit is set in
two lines a row, each interval under its estimate; then in several tables that repeat their first
columns. Nothing is ever cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from latentlab.console.streams import wrapped

GAP = 2
"""Columns of the screen between two of the table."""

NARROW = 18
"""Width down to which a column of words may be folded, if its longest word is no longer."""


@dataclass(frozen=True)
class Column:
    """A column as text."""

    name: str
    """What it holds, as the table's data calls it."""

    heading: str
    """Its heading."""

    cells: tuple[str, ...]
    """Its cells; a line break sets one in two lines."""

    numeric: bool
    """Whether it holds numbers, which are set to the right and never folded."""

    narrow: int = NARROW
    """Width down to which words may be folded."""

    @property
    def full(self) -> int:
        """Width at which nothing is folded but the heading."""
        return max(_longest_word(self.heading), *(map(_width, self.cells)), 1)

    @property
    def least(self) -> int:
        """Width below which a word or a number would be cut."""
        if self.numeric:
            return self.full
        words = max(_longest_word(text) for text in (self.heading, *self.cells))
        return max(words, min(self.full, self.narrow))


@dataclass(frozen=True)
class Block:
    """Columns that stand side by side, and how wide each is."""

    columns: tuple[Column, ...]
    """The columns."""

    widths: tuple[int, ...]
    """Their widths."""


def laid_out(
    columns: Sequence[Column], width: int, spare: Sequence[str], keys: int
) -> tuple[list[Block], list[Column]]:
    """Fit columns to a screen.

    Args:
        columns: all columns.
        width: columns of the screen.
        spare: names of columns that may go, the first to go first.
        keys: how many of the first columns every part of the table repeats.

    Returns:
        The table in parts, one under the other, and the columns that were left out.
    """
    kept, gone = list(columns), []
    for name in spare:
        if _fits(kept, width):
            break
        gone += [column for column in kept if column.name == name]
        kept = [column for column in kept if column.name != name]
    if _fits(kept, width):
        return [_block(kept, width)], gone
    stacked = [_stacked(column) for column in kept]
    if _fits(stacked, width):
        return [_block(stacked, width)], gone
    whole = kept if all(_fits([*kept[:keys], one], width) for one in kept[keys:]) else stacked
    parts: list[list[Column]] = [whole[:keys]]
    for column in whole[keys:]:
        if len(parts[-1]) > keys and not _fits([*parts[-1], column], width):
            parts.append(whole[:keys])
        parts[-1] = [*parts[-1], column]
    return [_block(part, width) for part in parts], gone


def _fits(columns: Sequence[Column], width: int) -> bool:
    return sum(column.least + GAP for column in columns) - GAP <= width


def _block(columns: Sequence[Column], width: int) -> Block:
    """Give what room is left to columns of words first, then to the highest headings."""
    widths = [column.least for column in columns]
    room = width - sum(widths) - GAP * (len(columns) - 1)
    for i, column in enumerate(columns):
        more = max(min(column.full - widths[i], room), 0)
        widths[i] += more
        room -= more
    while room > 0:
        heights = [
            len(wrapped(column.heading, width))
            for column, width in zip(columns, widths, strict=True)
        ]
        highest = heights.index(max(heights))
        if heights[highest] == 1:
            break
        widths[highest] += 1
        room -= 1
    return Block(tuple(columns), tuple(widths))


def _stacked(column: Column) -> Column:
    """Intervals under their estimates."""
    if not column.numeric:
        return column
    return replace(column, cells=tuple(cell.replace(" [", "\n[") for cell in column.cells))


def _width(text: str) -> int:
    return max(map(len, text.split("\n")))


def _longest_word(text: str) -> int:
    """Width of what must not be cut; cells begin where their blanks end."""
    return max((len(line) for line in wrapped(text, 1)), default=0)

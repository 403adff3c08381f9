"""Examples out of a table: text checked when the data is opened, pictures read when asked for.

So a mistake in line 900 is known before anything runs, and a picture costs memory only while it is
looked at. What cannot be used is left out and counted, or refused (`leftout`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from latentlab.data.example import Example
from latentlab.data.images import ImageFile, ImageSource, StoredImage, inside, read_image
from latentlab.data.leftout import LeftOut
from latentlab.data.records import Record
from latentlab.data.sequence import Examples
from latentlab.data.tables import Row, Table
from latentlab.errors import UserError

ReadRow = Callable[[Row], Record | None]
"""Makes a record of a row, or nothing where the source does not ask such a question."""


@dataclass(frozen=True)
class Entry:
    """One example before its picture is read."""

    where: str
    """File and line."""

    example: Example
    """The example without its picture."""

    image: ImageSource | None
    """Where its picture lies."""


class TableExamples(Examples):
    """The examples of a table, in the order of its rows."""

    def __init__(
        self, table: Table, read: ReadRow, strict: bool = True, size: int | None = None
    ) -> None:
        """Read and check all rows; read no picture.

        Args:
            table: The rows.
            read: What they say.
            strict: Whether to stop at the first bad row instead of leaving it out.
            size: Width and height of every picture in pixels; None leaves them as they are.

        Raises:
            UserError: No row can be used, or `strict`, and one cannot; the message names file and
                line.
        """
        self._size = size
        self._entries: list[Entry] = []
        left, first, asked = LeftOut(strict), dict[str, str](), True
        for row in table.rows(left):
            try:
                record = read(row)
                if record is None:
                    asked = False
                    continue
                entry = Entry(row.where, record.example, _image(record.image, table))
                if before := first.get(record.example.id):
                    raise UserError(f"id {record.example.id!r} is already that of {before}")
            except UserError as error:
                left.add(f"{row.where}: {error}")
                continue
            first[record.example.id] = row.where.rpartition(", ")[2]
            self._entries.append(entry)
        self._left_out = left.reasons
        if not self._entries:
            raise UserError(_nothing(table.name, left.reasons, asked))

    @property
    def left_out(self) -> Sequence[str]:
        """Why rows were left out, and where they stand."""
        return self._left_out

    def __len__(self) -> int:
        """Number of examples."""
        return len(self._entries)

    def worded(self, index: int) -> Example:
        """The example at `index` without its picture."""
        return self._entries[index].example

    def make(self, index: int) -> Example:
        """Make the example at `index`, reading its picture.

        Raises:
            UserError: The picture cannot be read.
        """
        entry = self._entries[index]
        if entry.image is None:
            return entry.example
        try:
            return replace(entry.example, image=read_image(entry.image, self._size))
        except UserError as error:
            raise UserError(f"{entry.where}, example {entry.example.id}: {error}") from error


def _image(image: str | StoredImage | None, table: Table) -> ImageSource | None:
    return ImageFile(inside(table.folders, image)) if isinstance(image, str) else image


def _nothing(name: str, reasons: Sequence[str], asked: bool) -> str:
    """Why a table gives no example."""
    if reasons:
        return f"{name}: none of its {len(reasons)} examples can be used; {reasons[0]}"
    if not asked:
        return f"{name}: no example has a picture, and only those with one are asked"
    return f"{name}: holds no examples, write one in each row"

"""Tables that the `datasets` library reads: parquet, folders that it saved, the hub.

The library's own decoding of pictures is switched off, so that a picture is read when it is asked
for and within our bounds. Scripts that come with data are never run: this release of the library
knows none, and what it refuses is told in one line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from latentlab.data.images import StoredImage
from latentlab.data.leftout import LeftOut
from latentlab.data.splits import choose_split
from latentlab.data.tables import Row, Table
from latentlab.errors import UserError


def parquet_table(files: Sequence[Path], folders: tuple[Path, ...]) -> Table:
    """The table in one or several parquet files, which are read as one.

    Raises:
        UserError: A file is no parquet file or a broken one.
    """
    import pyarrow.parquet
    from datasets import Dataset

    for file in files:
        try:
            pyarrow.parquet.read_schema(file)
        except Exception as error:  # pyarrow has a dozen kinds
            raise UserError(f"{file} is no readable parquet file ({error})") from error
    name = str(files[0]) if len(files) == 1 else f"{files[0].parent}/{files[0].name} ..."
    try:
        with _quiet():
            data = Dataset.from_parquet([str(file) for file in files])
    except Exception as error:
        reason = error.__cause__ or error
        raise UserError(f"{name} is no readable parquet file ({reason})") from error
    return _table(data, name, files[0].stem.partition("-")[0], folders)


def saved_table(folder: Path, split: str) -> Table:
    """The table that `Dataset.save_to_disk` or `DatasetDict.save_to_disk` left in a folder.

    Raises:
        UserError: The folder is broken, or has no such split.
    """
    from datasets import DatasetDict, load_from_disk

    try:
        data = load_from_disk(str(folder))
    except Exception as error:
        raise UserError(f"{folder} cannot be read as a saved data set ({error})") from error
    if not isinstance(data, DatasetDict):
        return _table(data, str(folder), folder.name, (folder,))
    name = choose_split(str(folder), split, list(data))
    return _table(data[name], f"{folder / name}", name, (folder,))


def hub_table(name: str, split: str) -> Table:
    """The table of a repository of the hub, from the hub or from the library's cache.

    Raises:
        UserError: It cannot be had, or has no such split.
    """
    from datasets import load_dataset

    try:
        data = load_dataset(name)
    except Exception as error:
        raise UserError(
            f"{name} cannot be had from the hub ({type(error).__name__}: {error}); where there is "
            "no network, give the folder of a copy with root=PATH"
        ) from error
    there = choose_split(name, split, list(data))
    return _table(data[there], f"{name} ({there})", there, ())


def _table(data: Any, name: str, short: str, folders: tuple[Path, ...]) -> Table:
    """A table of a `datasets.Dataset`, whose pictures stay where they are.

    Args:
        data: The data set.
        name: What messages call it.
        short: What the names of rows without an id begin with.
        folders: Where files lie that cells name.
    """
    from datasets import Image

    data = data.with_format(None)
    pictures = [column for column, kind in data.features.items() if _is_picture(kind)]
    for column in pictures:
        if isinstance(data.features[column], Image):
            data = data.cast_column(column, Image(decode=False))
    shown = {column: _are_there(data, column) for column in pictures}
    hidden = [column for column, kind in data.features.items() if "Image(" in str(kind)]
    told = data.remove_columns(sorted({*pictures, *hidden}))

    def rows(left: LeftOut) -> Iterator[Row]:
        for index, values in enumerate(told):
            images = {
                column: StoredImage(data, index, column, folders) if there[index] else None
                for column, there in shown.items()
            }
            yield Row(f"{name}, row {index}", f"{short}-{index}", {**values, **images})

    return Table(name, tuple(data.column_names), rows, folders)


def _is_picture(kind: Any) -> bool:
    """Whether a column holds pictures, or the bytes of their files."""
    from datasets import Image, Value

    if isinstance(kind, dict):
        return set(kind) == {"bytes", "path"}
    return isinstance(kind, Image) or (isinstance(kind, Value) and "binary" in kind.dtype)


def _are_there(data: Any, column: str) -> list[bool]:
    """Whether each row has a picture, without touching one."""
    from pyarrow import compute, types

    cells = data.data.column(column)
    valid = cells.is_valid()
    if types.is_struct(cells.type):
        parts = [compute.struct_field(cells, part).is_valid() for part in ("bytes", "path")]
        valid = compute.and_(valid, compute.or_(*parts))
    found: list[bool] = valid.to_pylist()
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library from drawing bars for what takes a moment."""
    from datasets import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    were_drawn = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if were_drawn:
            enable_progress_bars()

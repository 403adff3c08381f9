"""Pictures from files that nobody has vouched for: found inside their folder, read within bounds.

Only formats that Pillow decodes itself are read. Others, such as EPS, are handed to programs of the
system, and nothing that a folder of data holds is ever run.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

from PIL import Image

from latentlab.data.greys import to_rgb
from latentlab.data.wording import SHOWN
from latentlab.errors import UserError

MOST_PIXELS = 80_000_000
"""Pixels of the largest picture that is read; one of them takes three bytes."""

MOST_STRETCHED = 200
"""A picture of which one side is so many times the other is refused: Qwen2-VL takes none."""

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
"""What is read."""


class ImageSource(Protocol):
    """Where one picture lies."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    def open(self) -> Path | BytesIO:
        """The file or the bytes that Pillow reads."""
        ...


@dataclass(frozen=True)
class ImageFile:
    """A picture in a file of its own."""

    path: Path
    """The file, known to lie in the folder of the data."""

    @property
    def name(self) -> str:
        """Its name, without its folder."""
        return self.path.name

    def open(self) -> Path:
        """The file."""
        return self.path


@dataclass(frozen=True)
class StoredImage:
    """A picture in a cell of a table, fetched when it is asked for."""

    rows: Any
    """The table: a `datasets.Dataset` that does not decode its pictures."""

    index: int
    """The cell's row."""

    column: str
    """The cell's column."""

    folders: Sequence[Path] = ()
    """Where the file lies that a cell may name instead of holding its bytes."""

    @property
    def name(self) -> str:
        """The column that it stands in."""
        return self.column

    def open(self) -> Path | BytesIO:
        """The bytes, or the file that the cell names.

        Raises:
            UserError: There is no such file.
        """
        cell = self.rows[self.index][self.column]
        if isinstance(cell, dict):
            path, cell = cell.get("path"), cell.get("bytes")
            if cell is None:
                return inside(self.folders, str(path))
        return BytesIO(cell)


def read_image(source: ImageSource, size: int | None = None) -> Image.Image:
    """Read a picture in RGB.

    Args:
        source: Where it lies.
        size: Width and height in pixels that it is brought to, whatever its shape (bicubic, as in
            the IVT-LR release); None leaves it as it is.

    Raises:
        UserError: It is no picture, is broken, or is too large or too narrow to be read.
    """
    try:
        with warnings.catch_warnings():
            # Its own bound is another one; ours is checked before a pixel is decoded.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(source.open(), formats=FORMATS) as image:
                if (pixels := image.width * image.height) > MOST_PIXELS:
                    raise UserError(_too_large(f"{pixels / 1e6:.0f} megapixels"))
                if size is None and max(image.size) >= MOST_STRETCHED * min(image.size):
                    raise UserError(
                        f"it is {image.width} x {image.height} pixels, one side "
                        f"{MOST_STRETCHED} times the other or more; crop it, or give a size"
                    )
                read = to_rgb(image)
    except UserError as error:
        raise UserError(f"{source.name}: {error}") from None
    except Image.DecompressionBombError as error:
        raise UserError(f"{source.name}: {_too_large('far too many pixels')}") from error
    except Exception as error:  # decoders raise whatever a broken file makes them stumble over
        raise UserError(f"{source.name} is no readable image ({error})") from error
    return read if size is None else read.resize((size, size), Image.Resampling.BICUBIC)


def inside(folders: Sequence[Path], name: str) -> Path:
    """The file that a path within a folder of data means.

    Args:
        folders: Where to look, one after the other; nothing outside the first is ever taken, be it
            by `..` or by a symbolic link.
        name: The path as the data has it.

    Raises:
        UserError: It leads outside, or there is no such file.
    """
    if not folders:
        raise UserError(f"image {name!r} is a path, but the data lies in no folder")
    home, out = folders[0].resolve(), False
    for folder in folders:
        try:
            path = (folder / name).resolve()
            if not path.is_relative_to(home):
                out = True
            elif path.is_file():
                return path
        except (OSError, ValueError, RuntimeError):  # too long, a null character, a loop of links
            continue
    if out:
        raise UserError(f"image {name[:SHOWN]!r} lies outside the folder, copy it into the folder")
    raise UserError(f"image {name[:SHOWN]!r} does not exist in the folder")


def find_inside(folders: Sequence[Path], names: Sequence[str]) -> str:
    """The first of several paths that there is a file for, or the first of all where there is none.

    Args:
        folders: As for `inside`.
        names: Paths by which a layout may mean one picture.
    """
    for name in names:
        try:
            inside(folders, name)
        except UserError:
            continue
        return name
    return names[0]


def _too_large(found: str) -> str:
    most = f"{MOST_PIXELS / 1e6:.0f} megapixels"
    return f"it has {found}, more than the {most} that are read; scale it down"

"""Pictures: opened, and as arrays of cells blanked, mixed with noise, rearranged in one size.

A module of its own because these know nothing of questions or traces.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from latentlab.data.greys import to_rgb
from latentlab.errors import UserError

Picture = Image.Image | np.ndarray | str | Path
"""Whatever stands for a picture."""

Grid = tuple[int, int]
"""Rows and columns of cells."""


def cell_grid(size: tuple[int, int], cells: int) -> Grid:
    """Rows and columns of a picture that is divided into so many cells, as near square as can be.

    Args:
        size: width and height in pixels, as Pillow gives them.
        cells: how many cells there are.
    """
    width, height = size
    grids = [(rows, cells // rows) for rows in range(1, cells + 1) if cells % rows == 0]
    return min(grids, key=lambda grid: abs(np.log(height / grid[0] / (width / grid[1]))))


def fill(image: Image.Image, grid: Grid = (1, 1), cell: int = 0) -> Image.Image:
    """Give one cell, row-major, the picture's mean colour; by default the whole picture."""
    pixels = np.array(image.convert("RGB"))
    colour = pixels.reshape(-1, 3).mean(0).round().astype(np.uint8)
    pixels[_box(pixels, grid, cell)] = colour
    return Image.fromarray(pixels)


def mix_noise(image: Image.Image, strength: float, stream: np.random.Generator) -> Image.Image:
    """Mix a picture with uniform noise: (1 - strength) x picture + strength x noise.

    Strength 0 returns the same picture.
    """
    if strength == 0:
        return image
    pixels = np.array(image.convert("RGB"))
    noise = stream.integers(256, size=pixels.shape)
    return Image.fromarray(((1 - strength) * pixels + strength * noise).round().astype(np.uint8))


def rearrange(image: Image.Image, grid: Grid, source: npt.NDArray[np.int64]) -> Image.Image:
    """Put cell `source[i]` in the place of cell i.

    All cells are of one size; pixels at the right and lower edge that fill no cell stay.
    """
    before = np.array(image.convert("RGB"))
    rows, columns = grid
    height, width = before.shape[0] // rows, before.shape[1] // columns
    after = before.copy()
    whole = before[: rows * height, : columns * width]
    cells = whole.reshape(rows, height, columns, width, 3).swapaxes(1, 2)
    moved = cells.reshape(rows * columns, height, width, 3)[source].reshape(cells.shape)
    after[: rows * height, : columns * width] = moved.swapaxes(1, 2).reshape(whole.shape)
    return Image.fromarray(after)


def _box(pixels: npt.NDArray[np.uint8], grid: Grid, cell: int) -> tuple[slice, slice]:
    """Where a cell lies; cells meet without gaps whatever the size of the picture."""
    (row, column), (height, width) = divmod(cell, grid[1]), pixels.shape[:2]
    return (
        slice(height * row // grid[0], height * (row + 1) // grid[0]),
        slice(width * column // grid[1], width * (column + 1) // grid[1]),
    )


def open_picture(picture: Picture | None) -> Image.Image | None:
    """Open whatever stands for a picture as RGB.

    Raises:
        UserError: the file is missing or is no picture, or the array cannot be one.
    """
    if picture is None:
        return None
    if isinstance(picture, Image.Image):
        return to_rgb(picture)
    if isinstance(picture, np.ndarray):
        if picture.dtype != np.uint8:
            raise UserError(f"a picture given as an array has to be uint8, not {picture.dtype}")
        try:
            return Image.fromarray(picture).convert("RGB")
        except (TypeError, ValueError):
            raise UserError(f"an array of shape {picture.shape} is no picture") from None
    try:
        with Image.open(picture) as image:
            return to_rgb(image)
    except (OSError, SyntaxError, ValueError) as error:  # what PIL raises on broken files
        raise UserError(f"cannot read the picture {picture}: {error}") from None

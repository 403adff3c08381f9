"""Pictures as eight-bit RGB, whatever they were stored as.

Pillow cuts off what does not fit: of sixteen bits it keeps all above 255 as white, of fractions it
makes black. Here greys are scaled, and a picture stands as its camera was held.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from latentlab.errors import UserError

_SCALES = ((1.0, 255.0), (255.0, 1.0), (65535.0, 1 / 257))
"""Largest value of a picture of numbers, and what its values are then multiplied by."""


def to_rgb(image: Image.Image) -> Image.Image:
    """A picture in RGB, upright.

    Sixteen-bit greys are divided by 257. Fractions and 32-bit numbers are taken for what their
    largest value says: from 0 to 1, to 255 or to 65,535.

    Raises:
        UserError: Its values are not finite, or lie outside of all three.
    """
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I;16"):
        return _grey(np.asarray(upright, np.float64) / 257)
    if upright.mode in ("I", "F"):
        return _grey(_scaled(np.asarray(upright, np.float64), upright.mode == "I"))
    return upright.convert("RGB")


def _scaled(values: npt.NDArray[np.float64], whole: bool) -> npt.NDArray[np.float64]:
    if not np.isfinite(values).all():
        raise UserError("its values are not all finite numbers")
    low, high = float(values.min()), float(values.max())
    fits = [scale for most, scale in _SCALES[int(whole) :] if high <= most]
    if low < 0 or not fits:
        raise UserError(f"its values go from {low:g} to {high:g}, not from 0 to 1, 255 or 65535")
    return values * fits[0]


def _grey(values: npt.NDArray[np.float64]) -> Image.Image:
    return Image.fromarray(values.round().astype(np.uint8)).convert("RGB")

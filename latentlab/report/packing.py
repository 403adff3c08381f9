"""How recorded runs are kept small on the page: bytes for attention, numbers for words, no repeats.

A question is asked of several models in some fifteen runs of several steps each. Most of what is
recorded recurs (a control leaves step 1 as it was, a sham everything), so that steps are kept once
and runs point to them; words stand in one list; attention takes one byte a patch.
"""

import base64
import io
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from latentlab.notebook import data_uri

LONGEST_SIDE = 320
"""Pixels that the longer side of a picture has at most; larger ones are made smaller."""

QUALITY = 78
"""Of JPEG, without thinning out the colours: marks are a few pixels wide and their colour counts.
A palette of some dozen colours is no smaller under noise, and takes marks for others."""

SMALL = 60
"""Of WebP, for pictures that calls of a method show: crops are many, and half the size of JPEG."""

DIGITS = 4
"""Decimal places that numbers keep."""

NICE = (1.0, 2.0, 2.5, 5.0)
"""First digits of the upper end of a scale."""


class Pool:
    """Values that recur, each kept once."""

    def __init__(self) -> None:
        """Begin without any."""
        self.values: list[Any] = []
        self._places: dict[str, int] = {}

    def add(self, value: Any) -> int:
        """The place of a value, which is added where it is new."""
        key = repr(value)
        if key not in self._places:
            self._places[key] = len(self.values)
            self.values.append(value)
        return self._places[key]


def small_uri(picture: Image.Image) -> str:
    """A picture that a call of a method shows, as a data URI."""
    shown = picture.convert("RGB")
    shown.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    written = io.BytesIO()
    shown.save(written, "WEBP", quality=SMALL, method=6)
    return data_uri(written.getvalue(), "image/webp")


def as_bytes(shares: Sequence[float] | None, most: float) -> str | None:
    """Shares from 0 to `most` as one byte each, in base64; None where there are none."""
    if shares is None:
        return None
    levels = np.rint(255 * np.asarray(shares, float) / most).clip(0, 255).astype(np.uint8)
    return base64.b64encode(levels.tobytes()).decode("ascii")


def scale_of(shares: Iterable[Sequence[float]]) -> tuple[float, float]:
    """The largest of some shares, and a round number that one in a hundred lies above.

    Returns:
        Both 1 where there are no shares: there is nothing to draw.
    """
    values = np.concatenate([np.zeros(1), *(np.asarray(some, float) for some in shares)])
    most, high = float(values.max()), float(np.quantile(values, 0.99))
    if high <= 0:
        return 1.0, 1.0
    power = 10.0 ** np.floor(np.log10(high))
    rounded = (float(digit * power) for digit in (*NICE, 10.0))
    return most, min(1.0, next(value for value in rounded if value >= high * (1 - 1e-9)))


def plain(value: Any) -> Any:
    """A value as JSON knows it: numbers rounded, what is missing as None."""
    if value is None or value is pd.NA:
        return None
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, DIGITS)
    return value


def whole(value: Any) -> int | None:
    """A whole number, or None where it is missing."""
    return None if pd.isna(value) else int(value)

"""Zooming: a box that a reply names, and what is cut out of the picture by it."""

import json
import re
from math import isfinite, sqrt

from PIL import Image

ENLARGE, SCALE = 1.5, 2.0
"""By how much a box is enlarged before it is cut out, and what is cut out is scaled up."""

LEAST = 0.05
"""Least side of what is cut out, as a share of the picture's."""

_BOX = re.compile(r'"bbox_2d"\s*:\s*(\[[^\[\]]*\])')

Box = tuple[float, float, float, float]


def wants_zoom(reply: str) -> bool:
    """Whether a reply tries to zoom, well-formed or not."""
    return "bbox_2d" in reply or "image_zoom_in_tool" in reply


def box_of(reply: str) -> Box | None:
    """The last box that a reply names: left, top, right, bottom in pixels; None for no such."""
    found = _BOX.findall(reply)
    try:
        values = json.loads(found[-1]) if found else []
    except (ValueError, RecursionError):
        return None
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(values) != 4 or len(numbers) != 4 or not all(abs(v) < 1e9 for v in numbers):
        return None
    left, top, right, bottom = map(float, numbers)
    return (left, top, right, bottom) if isfinite(left + top + right + bottom) else None


def zoomed(picture: Image.Image, box: Box) -> Image.Image | None:
    """What a box shows, enlarged about its middle and scaled up; None where it shows nothing.

    The result has no more pixels than the picture, so that a prompt's length is known before.
    """
    width, height = picture.size
    left, top = max(box[0], 0.0), max(box[1], 0.0)
    right, bottom = min(box[2], width), min(box[3], height)
    if right <= left or bottom <= top:
        return None
    half = max((right - left) * ENLARGE, LEAST * width) / 2
    tall = max((bottom - top) * ENLARGE, LEAST * height) / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    cut = (
        max(0, int(x - half)),
        max(0, int(y - tall)),
        min(width, int(x + half) + 1),
        min(height, int(y + tall) + 1),
    )
    wide, high = cut[2] - cut[0], cut[3] - cut[1]
    scale = min(SCALE, sqrt(width * height / (wide * high)))
    size = max(1, int(wide * scale)), max(1, int(high * scale))
    return picture.crop(cut).resize(size, Image.Resampling.BICUBIC)

"""Pictures inside a page: small, as data URIs, so that nothing is ever fetched."""

import base64
import io

from PIL import Image

from latentlab.backbones.sight import Part

LONGEST_SIDE = 448
"""Pixels that the longer side of a picture has at most; larger ones are made smaller."""

QUALITY = 88
"""Of JPEG, without thinning out the colours: marks in small pictures are a few pixels wide."""


def data_uri(content: bytes, kind: str) -> str:
    """Bytes as a data URI, e.g. of kind `image/png`."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def picture_uri(image: Image.Image, part: Part | None = None) -> str:
    """A picture as a data URI.

    Args:
        image: the picture.
        part: what of it to show; None shows all.
    """
    shown = image.convert("RGB") if part is None else image.convert("RGB").crop(part)
    shown.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    written = io.BytesIO()
    shown.save(written, "JPEG", quality=QUALITY, subsampling=0, optimize=True)
    return data_uri(written.getvalue(), "image/jpeg")

"""What of a picture a model sees, and how its patches lie on it: for drawing over pictures."""

from typing import NamedTuple

from PIL.Image import Image

from latentlab.backbones.base import Backbone


class Crop(NamedTuple):
    """Part of a picture, in pixels."""

    left: int
    top: int
    right: int
    bottom: int


class Sight(NamedTuple):
    """The patches of one picture."""

    rows: int
    """Rows of patches."""

    columns: int
    """Columns of patches."""

    part: Crop
    """What they cover."""


def sight_of(backbone: Backbone, image: Image) -> Sight | None:
    """How a model's patches lie on a picture; None where they do not lie in one grid."""
    (grid,) = backbone.prepare_images([image]).grids
    return None if grid is None else Sight(*grid, seen_part(backbone, image))


def seen_part(backbone: Backbone, image: Image) -> Crop:
    """What the patches cover: all, save where an image processor cuts out the middle square."""
    width, height = image.size
    if not getattr(backbone.image_processor, "do_center_crop", False):
        return Crop(0, 0, width, height)
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return Crop(left, top, left + side, top + side)

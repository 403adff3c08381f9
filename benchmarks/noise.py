"""Questions on pictures of noise, all of equal length, so that sides and sizes compare."""

from dataclasses import replace

import torch
from PIL import Image

from latentlab.data import Example, load_data

CELL = 28
"""Pixels along one visual token."""


def noisy(count: int, grid: int, words: int | None = None) -> list[Example]:
    """Questions, each on a picture of its own.

    Args:
        count: how many.
        grid: visual tokens along a picture; it has as many as the square.
        words: words of the question; by default it is one of the diagnostic benchmark.
    """
    (example,) = load_data("benchmark:domain=relation", limit=1)
    if words is not None:
        example = replace(example, question="hop " * words)
    generator = torch.Generator().manual_seed(0)
    side = CELL * grid
    pixels = torch.randint(256, (count, side, side, 3), generator=generator).to(torch.uint8)
    return [
        replace(example, id=f"noise-{i}", image=Image.fromarray(picture))
        for i, picture in enumerate(pixels.numpy())
    ]

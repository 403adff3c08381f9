import numpy as np
import pytest
from PIL import Image

from latentlab.data.pictures import cell_grid, fill, mix_noise, rearrange


@pytest.fixture
def image():
    pixels = np.random.default_rng(0).integers(256, size=(29, 44, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    ("size", "cells", "grid"),
    [
        ((112, 112), 16, (4, 4)),
        ((200, 100), 8, (2, 4)),
        ((100, 200), 8, (4, 2)),
        ((9, 9), 1, (1, 1)),
    ],
)
def test_cells_are_as_square_as_can_be(size, cells, grid):
    assert cell_grid(size, cells) == grid


def test_filling_all_cells_one_by_one_fills_the_picture_and_one_fills_no_other(image):
    before, covered = np.array(image), np.zeros((29, 44), bool)
    for cell in range(12):
        after = np.array(fill(image, (3, 4), cell))
        changed = (after != before).any(-1)
        assert not (covered & changed).any()
        covered |= changed
    assert covered.mean() > 0.99  # a pixel may have the mean colour by chance
    assert len(np.unique(np.array(fill(image)).reshape(-1, 3), axis=0)) == 1


def test_noise_goes_from_nothing_to_nothing_else(image):
    def mixed(strength, seed=1):
        return np.array(mix_noise(image, strength, np.random.default_rng(seed))).astype(float)

    assert mix_noise(image, 0, np.random.default_rng(1)) is image
    before = np.array(image)
    distances = [np.abs(mixed(strength) - before).mean() for strength in (0.1, 0.4, 1)]
    assert distances == sorted(distances)
    other = Image.new("RGB", image.size)
    alone = np.array(mix_noise(other, 1, np.random.default_rng(1)))
    np.testing.assert_array_equal(mixed(1), alone)


def test_rearranging_back_gives_the_picture_back(image):
    source = np.random.default_rng(2).permutation(12)
    moved = rearrange(image, (3, 4), source)
    assert moved.size == image.size
    assert not np.array_equal(np.array(moved), np.array(image))
    back = rearrange(moved, (3, 4), np.argsort(source))
    np.testing.assert_array_equal(np.array(back), np.array(image))
    # Cell 0 now holds what cell source[0] held.
    row, column = divmod(int(source[0]), 4)
    there = np.array(image)[9 * row : 9 * row + 9, 11 * column : 11 * column + 11]
    np.testing.assert_array_equal(np.array(moved)[:9, :11], there)

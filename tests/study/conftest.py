"""Questions on pictures of given sizes."""

import pytest
from PIL import Image

from latentlab.data import Example


@pytest.fixture(scope="session")
def drawn():
    """Makes a function that draws questions on pictures of some sizes; None takes no picture."""

    def draw(*sizes: tuple[int, int] | None) -> list[Example]:
        pictures = [size and Image.new("RGB", size) for size in sizes]
        return [Example(f"e{i}", "Which?", ("a", "b"), "a", p) for i, p in enumerate(pictures)]

    return draw

"""SCAFFOLD, trained: dots with coordinates on the picture, and steps that cite them.

Paper: Lei et al., "Scaffolding Coordinates to Promote Vision-Language Coordination in Large
Multi-Modal Models" (arXiv 2402.12058). It trains nothing and draws 6 x 6 dots; here there is one
for each of the 4 x 4 cells, in the corner that glyph and mark leave free, with row and column
beside it in digits of 3 x 5 pixels, the smallest that can be told apart. Each is black where the
picture is bright and white elsewhere, as in the code. The model sees the dotted picture only (the
code's one-picture mode) and cites row and column behind each object on the way.
"""

from collections.abc import Callable
from functools import cache

from PIL import Image

from latentlab.data.example import Example, traced
from latentlab.data.scene import GRID
from latentlab.data.sprites import CELL
from latentlab.methods.call import Call, Method, Question, Talk
from latentlab.methods.dots import BRIGHT
from latentlab.methods.taught.lesson import WRITTEN, Lesson, check_picture, place, steps

_DIGITS = {1: "010110010010111", 2: "111001111100111", 3: "111001111001111", 4: "101101111001001"}
"""Rows of three pixels, from the top."""

IN_ORDER = (1, 2, 3, 4)
"""Rows are numbered from the top, columns from the left."""

_LEFT, _TOP = 19, 1
"""Where in its cell a label begins."""

_DOT = ((22, 8), (23, 8), (22, 9), (23, 9))
"""Pixels of a cell's dot."""


def dotted_cells(
    picture: Image.Image,
    rows: tuple[int, ...] = IN_ORDER,
    columns: tuple[int, ...] = IN_ORDER,
) -> Image.Image:
    """A copy with a dot and its coordinates in every cell of the benchmark's grid.

    Args:
        picture: a scene.
        rows: what each row is called, from the top. Other than in order, labels say another place
            than the true one, which shows whether a model reads them.
        columns: what each column is called, from the left.
    """
    shown = picture.convert("RGB")
    pixels = shown.load()
    assert pixels is not None
    width, height = shown.size
    for cell, places in enumerate(_places(rows, columns)):
        row, column = divmod(cell, GRID)
        at = column * CELL + _DOT[0][0], row * CELL + _DOT[0][1]
        if at[0] >= width or at[1] >= height:
            continue
        level = sum(shown.getpixel(at))  # type: ignore[arg-type]
        colour = (0, 0, 0) if level >= BRIGHT else (255, 255, 255)
        for x, y in places:
            if x < width and y < height:
                pixels[x, y] = colour
    return shown


Draw = Callable[[Image.Image], Image.Image]
"""Makes of a picture the one that a model is shown."""


def ask(question: Question, draw: Draw = dotted_cells) -> Talk:
    """One call about the dotted picture."""
    check_picture(question)
    (turn,) = question.own
    parts = [part if isinstance(part, str) else draw(part) for part in turn.parts]
    yield Call("reasoning and answer", question.asked(*parts), WRITTEN)
    return ()


@cache
def _places(
    rows: tuple[int, ...], columns: tuple[int, ...]
) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Pixels to colour in each cell."""
    found = []
    for row in range(GRID):
        for column in range(GRID):
            own = list(_DOT)
            for number, shift in ((rows[row], 0), (columns[column], 4)):
                for i, inked in enumerate(_DIGITS[number]):
                    if inked == "1":
                        own.append((_LEFT + shift + i % 3, _TOP + i // 3))
            found.append(tuple((column * CELL + x, row * CELL + y) for x, y in own))
    return tuple(found)


def replies(example: Example) -> tuple[str, ...]:
    """Objects on the way, each with its row and column."""
    trace, _ = traced(example)
    return (", ".join(f"{trace.at(hop)} {place(trace.cells[hop])}" for hop in steps(example)),)


LESSON = Lesson(Method("scaffold", "SCAFFOLD, arXiv 2402.12058", ask, pictures=1), replies)

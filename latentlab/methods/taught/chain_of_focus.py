"""Chain-of-Focus, trained: name a cell, get it enlarged as a new picture, go on.

Paper: Zhang et al., "Chain-of-Focus" (arXiv 2505.15436). There boxes are free, what is cut out is
enlarged by 1.5 and scaled by 2, and the model is trained by examples and then by reward. Here a box
is a cell of the benchmark's grid, named by the object that is looked for and its row and column; it
is scaled by 2 and has no margin, since a cell's neighbours say nothing about it; and the model is
trained by examples alone. The picture that boxes are named on has coordinates drawn on it, as for
`scaffold`: the published model has learnt to locate before, and without them a training of ours
named rows and, of columns, as many as by chance (LOG.md). What is cut out is of the bare picture.
At most eight looks, the most hops that a question can ask for.
"""

from PIL import Image

from latentlab.data.example import LONGEST, Example, traced
from latentlab.data.scene import GRID
from latentlab.data.sprites import CELL
from latentlab.methods.call import Call, Method, Question, Talk, Turn
from latentlab.methods.taught.lesson import (
    WRITTEN,
    Lesson,
    cell_of,
    check_picture,
    place,
)
from latentlab.methods.taught.scaffold import Draw, dotted_cells

SCALE = 2
"""By how much a cell is scaled up."""


def ask(question: Question, draw: Draw = dotted_cells) -> Talk:
    """One call for each look, and one for the answer."""
    check_picture(question)
    (turn,) = question.own
    parts = [part if isinstance(part, str) else draw(part) for part in turn.parts]
    turns = question.asked(*parts)
    for number in range(LONGEST + 1):
        reply = yield Call(f"look {number + 1}", turns, WRITTEN)
        if question.marker in reply:
            return ()
        cell = cell_of(reply)
        if cell is None:
            return ("no cell",)
        assert question.example.image is not None
        crop = enlarged(question.example.image, cell)
        turns += (Turn("assistant", (reply,)), *question.asked(crop))
    return ("endless zoom",)


def enlarged(picture: Image.Image, cell: int) -> Image.Image:
    """A cell of the benchmark's grid, scaled up."""
    row, column = divmod(cell, GRID)
    box = (column * CELL, row * CELL, (column + 1) * CELL, (row + 1) * CELL)
    return picture.crop(box).resize((SCALE * CELL, SCALE * CELL), Image.Resampling.BICUBIC)


def replies(example: Example) -> tuple[str, ...]:
    """Where each hop looks: the object that is known so far, and its row and column."""
    trace, hops = traced(example)
    looks = (f"{trace.at(hop)} {place(trace.cells[hop])}" for hop in range(hops))
    return (*looks, "")


LESSON = Lesson(
    Method(
        "chain_of_focus",
        "Chain-of-Focus, arXiv 2505.15436",
        ask,
        pictures=1,
        adds_tokens=LONGEST * 8,
        adds_pictures=1,
    ),
    replies,
)

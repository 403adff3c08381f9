"""SCAFFOLD: dots with coordinates on the picture, to be referred to in the reasoning.

Paper: Lei et al., "Scaffolding Coordinates to Promote Vision-Language Coordination in Large
Multi-Modal Models" (arXiv 2402.12058). Code: leixy20/Scaffold.

Where text, code and ours differ: 6 x 6 dots at sevenths of width and height, black where the
picture is bright and white elsewhere, labelled (x,y) from 1 with x from top to bottom, as in the
code; the radius is a 240th and the label a 40th of the width, as in the code, but not below 2 and 9
pixels, since the code's dots of a picture of 280 pixels are 1 pixel and its labels 7 (`dots`). Each
place has the colour of one pixel. The prompt shows the plain and the dotted picture, as by default
in the code; `scaffold_one` shows the dotted one only, its other mode. The four guidelines
(coordinates of objects, relations by coordinates, region by region, fixed form of the answer) are
worded by us after theirs.
"""

from latentlab.methods.call import REASONING, Call, Method, Question, Talk
from latentlab.methods.dots import dotted


def ask(question: Question) -> Talk:
    """One call with two pictures."""
    return _ask(question, plain=True)


def ask_one(question: Question) -> Talk:
    """One call with the dotted picture only."""
    return _ask(question, plain=False)


def _ask(question: Question, plain: bool) -> Talk:
    image = question.example.image
    assert image is not None  # `Method.pictures` says so
    which = "the second one is the first one" if plain else "it is a picture"
    text = question.words("scaffold", pictures="Two images" if plain else "An image", which=which)
    turns = question.asked(image if plain else None, dotted(image), text)
    yield Call("reasoning and answer", turns, REASONING + question.longest)
    return ()


PAPER = "SCAFFOLD, arXiv 2402.12058"

METHOD = Method("scaffold", PAPER, ask, ("scaffold",), pictures=2)
ONE = Method("scaffold_one", PAPER, ask_one, ("scaffold",), pictures=1)

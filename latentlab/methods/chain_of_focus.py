"""Chain-of-Focus without training: zoom in as often as wanted, then answer.

Paper: Zhang et al., "Chain-of-Focus" (arXiv 2505.15436). Code: xtong-zhang/Chain-of-Focus.

Where text, code and ours differ: **the released Chain-of-Focus is a Qwen2.5-VL-7B that was trained
for it (supervised, then by reinforcement); ours is the loop alone, on a model that was not**, so
its numbers are no replication. As in the code a reply calls `image_zoom_in_tool(bbox_2d, label)` or
answers, the box is enlarged by 1.5, what is cut out is scaled by 2 and shown as a new picture of
the user's, at most 6 times at temperature 0. Ours: boxes are in pixels of the picture as it is
given, which the prompt states (families count in units of their own, for which the code has
Qwen2.5-VL's); what is cut out never has more pixels than the picture; a box outside of the picture
or one that cannot be read is a failure of format, costs one of the six zooms, and the model is told
so; after six the answer is asked for. The tool is told in the user's turn, not in a system prompt.
"""

from latentlab.methods.call import REASONING, Call, Method, Question, Talk, Turn
from latentlab.methods.zoom import box_of, wants_zoom, zoomed

ZOOMS = 6
"""Zooms at most."""

SPOKEN = 64
"""Tokens of the user's turn after a zoom, and of what a template puts around turns, at most."""

ANOTHER = "This is what the box shows. Zoom in again, or answer."
OUTSIDE = "This box shows nothing of the picture. Zoom in again, or answer."
UNREAD = "This call cannot be read. Zoom in again, or answer."


def ask(question: Question) -> Talk:
    """One call for each zoom, and one for the answer."""
    image = question.example.image
    assert image is not None  # `Method.pictures` says so
    width, height = map(str, image.size)
    text = question.words("chain_of_focus", width=width, height=height, zooms=str(ZOOMS))
    turns = question.asked(image, text)
    failures: list[str] = []
    for number in range(ZOOMS + 1):
        reply = yield Call(f"look {number + 1}", turns, REASONING + question.longest)
        if (question.marker and question.marker in reply) or not wants_zoom(reply):
            return tuple(failures)
        box = box_of(reply)
        crop = None if box is None else zoomed(image, box)
        if crop is None:
            failures.append("bad tool call" if box is None else "box outside the picture")
        said = ANOTHER if crop else UNREAD if box is None else OUTSIDE
        if number + 1 == ZOOMS:
            said = question.words("chain_of_focus_end")
        turns += (Turn("assistant", (reply,)), *question.asked(crop, said))
    return (*failures, "endless zoom")


METHOD = Method(
    "chain_of_focus",
    "Chain-of-Focus (training-free loop), arXiv 2505.15436",
    ask,
    ("chain_of_focus", "chain_of_focus_end"),
    pictures=1,
    adds_tokens=ZOOMS * (REASONING + SPOKEN),
    adds_pictures=ZOOMS,
)

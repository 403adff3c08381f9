"""CapImagine, trained: in words, what each step's picture would show; then the answer.

Paper: "Imagination Helps Visual Reasoning, But Not Yet in Latent Space" (arXiv 2602.22766). There a
model is trained to write a description where a latent reasoner would take a step, on the same data.
So here: for each hop before the last, which is where `ivtlr` takes a latent step, the cell that the
hop looks at, its object and the object that its mark names. The last cell, whose mark is the
answer, is looked at and not described, as rationales here leave the answer out.
"""

from latentlab.data.example import Example, traced
from latentlab.methods.call import Call, Method, Question, Talk
from latentlab.methods.taught.lesson import WRITTEN, Lesson, steps


def ask(question: Question) -> Talk:
    """One call."""
    yield Call("imagination and answer", question.own, WRITTEN)
    return ()


def replies(example: Example) -> tuple[str, ...]:
    """What the cells on the way show."""
    trace, _ = traced(example)
    return (", ".join(f"{trace.at(hop - 1)} {trace.at(hop)}" for hop in steps(example)),)


LESSON = Lesson(Method("capimagine", "CapImagine, arXiv 2602.22766", ask, pictures=1), replies)

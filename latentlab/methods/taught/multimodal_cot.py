"""Multimodal-CoT, trained: a rationale in one call, the answer in another that is given it.

Paper: Zhang et al., "Multimodal Chain-of-Thought Reasoning in Language Models" (arXiv 2302.00923).
There two models are trained apart; here one learns both calls, from the same questions. In the
second the question is followed by the rationale and the answer marker, so the prompts of the two
differ even where there is nothing to write.
"""

from latentlab.data.example import Example
from latentlab.methods.call import Call, Method, Question, Talk
from latentlab.methods.taught.lesson import WRITTEN, Lesson


def ask(question: Question) -> Talk:
    """Two calls."""
    rationale = yield Call("rationale", question.own, WRITTEN, answers=False)
    told = f" {rationale} {question.marker}"
    (turn,) = question.own
    *before, words = turn.parts
    yield Call("answer", question.asked(*before, f"{words}{told}"), question.longest)
    return ()


def replies(example: Example) -> tuple[str, ...]:
    """The objects on the way, then nothing before the answer."""
    return ", ".join(example.rationale), ""


LESSON = Lesson(
    Method(
        "multimodal_cot",
        "Multimodal-CoT, arXiv 2302.00923",
        ask,
        pictures=1,
        adds_tokens=WRITTEN,
    ),
    replies,
)

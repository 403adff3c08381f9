"""Multimodal-CoT: a rationale first, then the answer with the rationale in the prompt.

Paper: Zhang et al., "Multimodal Chain-of-Thought Reasoning in Language Models" (arXiv 2302.00923).
Code: amazon-science/mm-cot.

Where text, code and ours differ: as published, two models of the T5 family are trained apart, with
features of the picture mixed in by a gate: question, context and options to rationale (512 tokens),
then the same with the rationale to "The answer is (X)" (64 tokens). Ours is the prompting port: one
model that is not trained for it, two calls, 256 tokens of rationale. Whether the rows of ICoT and
IVT-LR are such ports is not stated; their numbers look like it.
"""

from latentlab.methods.call import REASONING, Call, Method, Question, Talk


def ask(question: Question) -> Talk:
    """Two calls."""
    image = question.example.image
    turns = question.asked(image, question.words("multimodal_cot_rationale"))
    rationale = yield Call("rationale", turns, REASONING, answers=False)
    turns = question.asked(image, question.words("multimodal_cot_answer", rationale=rationale))
    yield Call("answer", turns, question.longest)
    return () if rationale else ("no rationale",)


METHOD = Method(
    "multimodal_cot",
    "Multimodal-CoT, arXiv 2302.00923",
    ask,
    ("multimodal_cot_rationale", "multimodal_cot_answer"),
    adds_tokens=REASONING,
)

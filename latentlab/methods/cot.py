"""CoT: step by step, then the answer, in one reply.

Paper: Kojima et al., "Large Language Models are Zero-Shot Reasoners" (arXiv 2205.11916). Code:
kojima-takeshi188/zero_shot_cot.

Where text, code and ours differ: the paper takes two calls, the second to pull the answer out of
the first; ours asks for the marker in the same reply, as rationales are trained here, so that
reasoning is paid for once. Which prompt other papers' CoT rows come from is mostly not stated.
"""

from latentlab.methods.call import REASONING, Call, Method, Question, Talk


def ask(question: Question) -> Talk:
    """One call, in which the reasoning is written before the answer."""
    text = question.words("cot")
    turns = question.asked(question.example.image, text)
    yield Call("reasoning and answer", turns, REASONING + question.longest)
    return ()


METHOD = Method("cot", "Zero-shot CoT, arXiv 2205.11916", ask, ("cot",))

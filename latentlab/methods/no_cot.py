"""No-CoT: the answer at once, nothing written before it.

Paper: the No-CoT rows of IVT-LR (arXiv 2510.12603, Table 1). Code: none was found.

Where text, code and ours differ: the paper does not print its prompt, and whether its rows are of a
tuned model is not stated; ours is a prompt, so nothing is trained. Reading is strict: one letter
(or text, or number) after the marker, or in a reply that leaves the marker out.
"""

from latentlab.methods.call import Call, Method, Question, Talk


def ask(question: Question) -> Talk:
    """One call."""
    text = question.words("no_cot")
    yield Call("answer", question.asked(question.example.image, text), question.longest)
    return ()


METHOD = Method("no_cot", "IVT-LR, arXiv 2510.12603", ask, ("no_cot",))

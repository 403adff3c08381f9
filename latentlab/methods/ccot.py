"""CCoT: a scene graph in JSON first, then the answer with picture and graph.

Paper: Mitra et al., "Compositional Chain-of-Thought" (arXiv 2311.17076). Code:
chancharikmitra/CCoT.

Where text, code and ours differ: the graph holds objects, attributes and relations that bear on the
question, in at most 256 tokens, as in paper and code. The code's script for SEED shows only the
question's text before its first "?" when it asks for the graph; ours shows the whole question with
its options. The code never reads the graph as JSON; ours passes it on as it stands as well, and
counts a reply that holds no JSON object as a failure of format. Wording is ours, after theirs.
"""

import json

from latentlab.methods.call import REASONING, Call, Method, Question, Talk


def ask(question: Question) -> Talk:
    """Two calls."""
    image = question.example.image
    turns = question.asked(image, question.words("ccot_graph"))
    graph = yield Call("scene graph", turns, REASONING, answers=False)
    turns = question.asked(image, question.words("ccot_answer", graph=graph))
    yield Call("answer", turns, question.longest)
    return () if is_graph(graph) else ("no JSON object",)


def is_graph(text: str) -> bool:
    """Whether a text holds a JSON object, whatever stands around it."""
    try:
        found = json.loads(text[text.find("{") : text.rfind("}") + 1])
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict)


METHOD = Method(
    "ccot",
    "CCoT, arXiv 2311.17076",
    ask,
    ("ccot_graph", "ccot_answer"),
    pictures=1,
    adds_tokens=REASONING,
)

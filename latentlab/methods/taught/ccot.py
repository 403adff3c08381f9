"""CCoT, trained: the scene graph of the picture, then the answer.

Paper: Mitra et al., "Compositional Chain-of-Thought Prompting for Large Multimodal Models"
(arXiv 2311.17076). It trains nothing and takes two calls. Here a model is trained to write graph
and answer in one reply. The graph lists every cell in reading order, its object and the object
that its mark names, since before the walk is known all relations are relevant; it is no JSON, for
which the embedded models have no words.
"""

from latentlab.data.example import Example, traced
from latentlab.methods.call import Call, Method, Question, Talk
from latentlab.methods.taught.lesson import WRITTEN, Lesson


def ask(question: Question) -> Talk:
    """One call."""
    yield Call("scene graph and answer", question.own, WRITTEN)
    return ()


def replies(example: Example) -> tuple[str, ...]:
    """Object and mark of every cell."""
    trace, _ = traced(example)
    cells = zip(trace.objects, trace.links, strict=True)
    return (", ".join(f"{name} {trace.objects[link]}" for name, link in cells),)


LESSON = Lesson(Method("ccot", "CCoT, arXiv 2311.17076", ask, pictures=1), replies)

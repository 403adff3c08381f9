"""Methods that small models are trained to follow: protocols, and what is to be said in them.

The prompts of `methods` tell a large model in words what to do. A model of the embedded scale knows
no such words; it is trained to do it, from the benchmark's traces, and asked without instructions.
A checkpoint says in `latentlab.json` which of these it was trained for.
"""

from latentlab.errors import UserError, did_you_mean
from latentlab.methods.call import Method
from latentlab.methods.taught import (
    capimagine,
    ccot,
    chain_of_focus,
    multimodal_cot,
    scaffold,
)
from latentlab.methods.taught.lesson import Lesson

TAUGHT: dict[str, Lesson] = {
    lesson.method.name: lesson
    for lesson in (
        ccot.LESSON,
        multimodal_cot.LESSON,
        scaffold.LESSON,
        chain_of_focus.LESSON,
        capimagine.LESSON,
    )
}
"""Every lesson by the name of its method."""


def lesson_of(name: str) -> Lesson:
    """The lesson that goes by a name.

    Raises:
        UserError: there is no such lesson.
    """
    if name not in TAUGHT:
        raise UserError(
            f"no method that is trained for is called {name!r}; {did_you_mean(name, TAUGHT)}"
        )
    return TAUGHT[name]


__all__ = ["TAUGHT", "Lesson", "Method", "lesson_of"]

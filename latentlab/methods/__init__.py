"""Ways to get from a question to an answer, each a value: prompts, calls, and what follows on them.

Each is one short file that names its paper, its code and every point in which the two and ours
differ; here they are registered, once.
"""

from collections.abc import Sequence

from latentlab.errors import UserError, did_you_mean
from latentlab.methods import (
    capimagine,
    ccot,
    chain_of_focus,
    coconut,
    cot,
    icot,
    ivtlr,
    multimodal_cot,
    no_cot,
    own,
    scaffold,
)
from latentlab.methods.call import Call, Method, Question, Talk, Turn

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        no_cot.METHOD,
        cot.METHOD,
        ccot.METHOD,
        multimodal_cot.METHOD,
        icot.METHOD,
        scaffold.METHOD,
        scaffold.ONE,
        chain_of_focus.METHOD,
        capimagine.METHOD,
        coconut.METHOD,
        ivtlr.METHOD,
        own.METHOD,
    )
}
"""Every method by its name."""


def methods_of(names: Sequence[str]) -> list[Method]:
    """The methods that go by some names.

    Raises:
        UserError: there is no such method, or one is named twice.
    """
    for name in names:
        if name not in METHODS:
            raise UserError(f"no method is called {name!r}; {did_you_mean(name, METHODS)}")
        if names.count(name) > 1:
            raise UserError(f"--method names {name} twice")
    return [METHODS[name] for name in names]


__all__ = ["METHODS", "Call", "Method", "Question", "Talk", "Turn", "methods_of"]

"""A method asked again with recorded replies, for what it showed the model: no model runs."""

from collections.abc import Sequence

from PIL.Image import Image

from latentlab.data import Example
from latentlab.methods import Method, Question
from latentlab.methods.call import Call
from latentlab.prompts import PromptFormat
from latentlab.reasoning.plan import LatentPlan

_BARE = LatentPlan(steps=0, k=0)


def pictures_of(
    method: Method, example: Example, marker: str, said: Sequence[tuple[str, str]]
) -> list[tuple[Image, ...]]:
    """The pictures that each call newly shows, the question's own apart.

    Args:
        method: what asked.
        example: what was asked.
        marker: the answer marker as the model's tokenizer writes it.
        said: name of and reply to each call, in order.

    Returns:
        One entry a call; empty ones where the method would not have asked so: it is another one
        now, and what it would show is not what the model saw.
    """
    question = Question(example, PromptFormat(), marker, _BARE, True, _BARE)
    talk = method.ask(question)
    known: list[Image] = [] if example.image is None else [example.image]
    shown: list[tuple[Image, ...]] = []
    try:
        call: Call | None = next(talk)
        for name, reply in said:
            if call is None or call.name != name:
                break
            new = tuple(one for one in call.pictures if not any(one is old for old in known))
            known += new
            shown.append(new)
            try:
                call = talk.send(reply)
            except StopIteration:
                call = None
    finally:
        talk.close()
    return shown + [()] * (len(said) - len(shown))

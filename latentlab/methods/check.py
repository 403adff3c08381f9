"""Whether a method, a model and some examples go together.

What would only go wrong in the middle of a run is looked for before anything runs.
"""

from collections.abc import Sequence

from latentlab.data.example import Example
from latentlab.errors import UserError
from latentlab.methods.call import Method, prompt
from latentlab.methods.run import question_of
from latentlab.methods.speaker import Speaker
from latentlab.methods.taught import lesson_of
from latentlab.prompts.fit import check_fit
from latentlab.prompts.template import conversed
from latentlab.reasoner import Reasoner

MOST_UNKNOWN = 0.1
"""Share of a prompt's words that a model may not know."""

_TOGETHER = 16


def misfit(
    reasoner: Reasoner, method: Method, examples: Sequence[Example], longest: int = 64
) -> str:
    """Why a method cannot be run on a model and some examples, in one line; empty where it can.

    Args:
        reasoner: the model.
        method: the method.
        examples: what is asked.
        longest: tokens of an answer at most.
    """
    name = f"method {method.name} on {reasoner.name}"
    if reasoner.method and method is not lesson_of(reasoner.method).method:
        return f"{name}: the model was trained to answer by {reasoner.method} and by nothing else"
    if problem := method.unfit(reasoner.plan, reasoner.brings_plan):
        return f"{name}: {problem}"
    if method.pictures:
        for example in examples:
            if example.image is None:
                return f"method {method.name} needs a picture, and {example.id} has none"
    if method.pictures + method.adds_pictures > 1 and not takes_two(reasoner):
        return (
            f"{name}: a prompt has to show several pictures, and the model's chat template "
            "writes one only"
        )
    if (share := _unknown(reasoner, method)) > MOST_UNKNOWN:
        return f"{name}: the model does not know {100 * share:.0f} % of the words of its prompts"
    return _too_long(reasoner, method, examples, longest)


def takes_two(reasoner: Reasoner) -> bool:
    """Whether a model's prompts can show two pictures."""
    slot = reasoner.backbone.image_slot
    content = [{"type": "image"}, {"type": "image"}, {"type": "text", "text": "?"}]
    turns = [{"role": "user", "content": content}]
    return conversed(reasoner.prompter.tokenizer, turns, slot).count(slot) == 2


def _unknown(reasoner: Reasoner, method: Method) -> float:
    """Share of unknown words in a method's prompts."""
    prompter = reasoner.prompter
    unknown, ids = prompter.tokenizer.unk_token_id, []
    for name in method.prompts:
        ids += prompter.encode(prompt(name).template)
    return ids.count(unknown) / len(ids) if ids and unknown is not None else 0.0


def _too_long(reasoner: Reasoner, method: Method, examples: Sequence[Example], longest: int) -> str:
    """Which example's prompts do not fit, the later ones included, as far as can be told."""
    speaker = Speaker(reasoner)
    config = reasoner.backbone.text_config
    image_token = reasoner.backbone.image_token_id
    for start in range(0, len(examples), _TOGETHER):
        asked = [examples[i] for i in range(start, min(start + _TOGETHER, len(examples)))]
        calls = [next(method.ask(question_of(reasoner, one, longest))) for one in asked]
        try:
            batch = speaker.batch(calls, [one.id for one in asked])
            for example, row, mask, call in zip(
                asked, batch.input_ids, batch.attention_mask, calls, strict=True
            ):
                ids = row[mask].tolist()
                patches = ids.count(image_token) // max(1, len(call.pictures))
                more = method.adds_tokens + method.adds_pictures * patches
                check_fit(config, example.id, ids + [0] * (more + call.longest))
                plan = call.plan
                if plan is not None and plan.steps and plan.has_vision and not patches:
                    return f"method {method.name} needs a picture, and {example.id} has none"
                if (
                    plan is not None
                    and (needed := plan.k * (1 if plan.reuse else plan.steps)) > patches
                ):
                    return (
                        f"method {method.name} re-inserts {needed} patches, but {example.id} has "
                        f"{patches}; enlarge the pictures, or lower --k or --steps"
                    )
        except UserError as error:
            return f"method {method.name}: {error}"
    return ""

"""Lets a model write its rationale, and answer after the words that an edit puts there."""

import time
from collections.abc import Sequence

import torch

from latentlab.answers import Answer
from latentlab.data.example import Example
from latentlab.measures.scores import parse_answer
from latentlab.reasoner import Reasoner
from latentlab.reasoning.decode import option_logprobs
from latentlab.reasoning.greedy import generate, greedy, kinds_of
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.trajectory import Trajectory
from latentlab.study.batches import Numbered, over_batches
from latentlab.study.rationale import Rationales, StepIds, split


@torch.no_grad()
def write(
    reasoner: Reasoner, rollout: Rollout, state: Trajectory, max_new_tokens: int
) -> Rationales:
    """Let a model answer freely and keep what it writes before the answer marker."""
    prompter, marker = reasoner.prompter, reasoner.prompter.marker_ids
    first = marker[0] if marker else None
    outputs = generate(rollout, state, prompter.eos_ids, first, max_new_tokens)
    steps: list[StepIds | None] = []
    for output in outputs:
        at = [i for i in range(len(output)) if marker and output[i : i + len(marker)] == marker]
        steps.append(split(prompter, output[: at[-1]]) if at else None)
    return Rationales(tuple(state.batch.examples), tuple(steps))


@torch.no_grad()
def write_all(
    reasoner: Reasoner,
    examples: Sequence[Example],
    batch_size: int = 64,
    seed: int = 0,
    max_new_tokens: int = 64,
) -> Rationales:
    """Let a model answer examples; what it writes, in their order, where it writes anything."""
    rollout = reasoner.rollout(seed=seed)

    def of_batch(numbered: Numbered) -> dict[int, tuple[str, StepIds | None]]:
        prompts = reasoner.prompter.batch([example for _, example in numbered], reasoner.plan)
        state = rollout(prompts.to(reasoner.backbone.device))
        said = write(reasoner, rollout, state, max_new_tokens).steps
        pairs = zip(numbered, said, strict=True)
        return {index: (example.id, steps) for (index, example), steps in pairs}

    found: dict[int, tuple[str, StepIds | None]] = {}
    for of in over_batches(examples, batch_size, of_batch, f"{reasoner.name}: rationales"):
        found |= of
    names, steps = zip(*(found[index] for index in sorted(found)), strict=True)
    return Rationales(names, steps).written


@torch.no_grad()
def answer_after(
    reasoner: Reasoner,
    rollout: Rollout,
    state: Trajectory,
    examples: Sequence[Example],
    rationales: Sequence[Sequence[int] | None],
    max_new_tokens: int = 64,
    started: float | None = None,
) -> list[Answer]:
    """Answer after given words, as `Reasoner.decode` does after a model's own.

    After the very words that the model writes by itself the answers are the same to the bit.

    Args:
        reasoner: the model.
        rollout: the engine that made the state.
        state: where the words begin; it stays as it was.
        examples: the batch's examples.
        rationales: token ids to go on from, the answer marker excepted; None lets the model write.
        max_new_tokens: longest text, given words included; there is always room for an option.
        started: when work on the batch began (`time.perf_counter`), for the time per answer.

    Returns:
        Answers whose text and `new_tokens` include the given words.
    """
    state.check_finite()
    started = time.perf_counter() if started is None else started
    prompter, marker = reasoner.prompter, reasoner.prompter.marker_ids
    given = [[] if words is None else [*words, *marker] for words in rationales]
    texts = [prompter.format.answer_texts(example.choices) for example in examples]
    options = [[prompter.answer_ids(text) for text in row] for row in texts]
    longest = max((len(ids) for row in options for ids in row), default=1)
    room = max(max_new_tokens, max(map(len, given)) + longest)
    own = rollout.backbone.logits(state.hidden).argmax(-1).tolist()
    first = marker[0] if marker else None
    text = greedy(rollout, state, prompter.eos_ids, first, room, given)
    seconds = (time.perf_counter() - started) / len(examples)
    words = [ids or list(marker) for ids in given]  # an answer is scored after the marker
    before = [(ids, kinds_of(ids, first)) for ids in words]
    logprobs = option_logprobs(rollout, text, before, options)
    return [
        Answer(
            text=prompter.decode(output),
            choice=parse_answer(
                prompter.decode(output[len(ids) :]), row, prompter.format.answer_form
            ),
            option_logprobs=tuple(scores),
            latent_steps=taken,
            new_tokens=len(output),
            seconds=seconds,
            at_once=not marker or begins == first,
        )
        for row, ids, output, scores, begins, taken in zip(
            texts, given, text.outputs, logprobs, own, state.steps_taken, strict=True
        )
    ]

"""What a model writes before it answers, edited before it goes on: the positive control in words.

A test that never finds a use of latents may be blind. Where a model reasons in words their use is
expected, so the same corruptions (another example's steps, another order, the first step only,
nothing) are done to its own rationale, as CapImagine does to textual imagination
(arXiv 2602.22766). The model writes, its words are edited, and it goes on from them to its answer.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from latentlab.data.example import Example
from latentlab.errors import UserError
from latentlab.measures.scores import parse_answer
from latentlab.prompts import Prompter
from latentlab.reasoner import Answer, Reasoner
from latentlab.reasoning.decode import generate, option_logprobs
from latentlab.reasoning.donors import Donors
from latentlab.reasoning.orders import order_of
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.trajectory import Trajectory
from latentlab.reasoning.visibility import Kind
from latentlab.vocabulary import WordReplacement

Steps = list[list[int]]
"""Token ids of each step of a rationale, separators among them."""


@dataclass(frozen=True)
class Rationales:
    """What was written in answer to some examples."""

    examples: tuple[str, ...]
    """Their identifiers."""

    steps: tuple[Steps | None, ...]
    """What was written before the answer marker; None where the marker never came."""

    @property
    def written(self) -> "Rationales":
        """Those of the examples before whose answer anything was written."""
        pairs = [pair for pair in zip(self.examples, self.steps, strict=True) if pair[1]]
        return Rationales(tuple(name for name, _ in pairs), tuple(steps for _, steps in pairs))


@dataclass(frozen=True, eq=False)
class RationaleEdit:
    """What is done to a written rationale."""

    how: Literal[WordReplacement, "own", "drop"]
    """What stands there instead: another example's rationale, its own steps in another order, its
    first step as often as there were steps, a token without content for every word, the rationale
    itself (a sham), or nothing."""

    rationales: Rationales | None = None
    """Rationales to take another example's from."""

    donors: Donors | None = None
    """Who lends to whom; its references are the examples of the rationales, in their order."""

    blank: int = 0
    """The token without content."""

    draw: int = 0
    """Which draw of what is random; see `interventions.Replace`."""

    held: bool = False
    """Of a rationale that is dropped: whether the answer stands where it would have stood."""

    def gaps(self, own: Rationales) -> list[int]:
        """Positions that each example leaves free before it goes on, for `Trajectory.skip`.

        Where nothing was written that led to an answer, nothing tells where it would have stood.
        """
        if not self.held:
            return [0] * len(own.steps)
        return [sum(map(len, steps or ())) for steps in own.steps]

    def edit(self, own: Rationales, seed: int) -> list[list[int] | None]:
        """What each example goes on from, as token ids; None where it is left to itself.

        Args:
            own: what the batch has written.
            seed: the run's seed.

        Raises:
            UserError: another example's rationale is asked for, and nobody else has written any.
        """
        seed += self.draw
        steps: Sequence[Steps | None] = own.steps
        if self.how == "other":
            if self.rationales is None or self.donors is None:
                raise UserError("there are no rationales of other examples to take")
            steps = [self.rationales.steps[i] for i in self.donors.of(own.examples, seed)]
        pairs = zip(own.examples, steps, strict=True)
        return [self._one(example, words, seed) for example, words in pairs]

    def _one(self, example: str, steps: Steps | None, seed: int) -> list[int] | None:
        if self.how == "drop":
            return []
        if steps is None:  # nothing was written that led to an answer: there is nothing to edit
            return None
        if self.how in ("permute", "reverse", "first") and steps:
            steps = [steps[i] for i in order_of(self.how, len(steps), example, seed)]
        ids = [token for step in steps for token in step]
        return [self.blank] * len(ids) if self.how == "placeholder" else ids


def blank_token(reasoner: Reasoner) -> int:
    """The token that stands for a word without content.

    It is the placeholder where the model has one, and otherwise the unknown or the padding token.
    """
    unknown = reasoner.prompter.tokenizer.unk_token_id
    known = (reasoner.placeholder_id, unknown, reasoner.prompter.pad_id)
    return int(next(token for token in known if token is not None))


def split(prompter: Prompter, ids: Sequence[int]) -> Steps:
    """Cut a rationale into steps, each with the separator that ends it.

    A separator may be part of a longer token, as the line break in a token for a full stop with a
    line break. Where it has no token at all, as in the embedded models, each token is a step.
    """
    separator = prompter.format.step_separator
    if not prompter.encode(separator):
        return [[token] for token in ids]
    mark = separator.strip() or separator
    steps: Steps = [[]]
    for token in ids:
        steps[-1].append(token)
        if mark in prompter.tokenizer.decode([token]):
            steps.append([])
    return [step for step in steps if step]


@torch.no_grad()
def write(
    reasoner: Reasoner, rollout: Rollout, state: Trajectory, max_new_tokens: int
) -> Rationales:
    """Let a model answer freely and keep what it writes before the answer marker."""
    prompter, marker = reasoner.prompter, reasoner.prompter.marker_ids
    first = marker[0] if marker else None
    outputs = generate(rollout, state, prompter.eos_id, first, max_new_tokens)
    steps: list[Steps | None] = []
    for output in outputs:
        at = [i for i in range(len(output)) if marker and output[i : i + len(marker)] == marker]
        steps.append(split(prompter, output[: at[-1]]) if at else None)
    return Rationales(tuple(state.batch.examples), tuple(steps))


@torch.no_grad()
def write_all(
    reasoner: Reasoner,
    batches: Iterable[Sequence[tuple[int, Example]]],
    seed: int = 0,
    max_new_tokens: int = 64,
) -> Rationales:
    """Let a model answer batches of numbered examples; those it writes for, by their numbers."""
    rollout = reasoner.rollout(seed=seed)
    found: dict[int, tuple[str, Steps | None]] = {}
    for numbered in batches:
        prompts = reasoner.prompter.batch([example for _, example in numbered], reasoner.plan)
        state = rollout(prompts.to(reasoner.backbone.device))
        said = write(reasoner, rollout, state, max_new_tokens).steps
        pairs = zip(numbered, said, strict=True)
        found |= {index: (example.id, steps) for (index, example), steps in pairs}
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
    outputs = _generate_after(rollout, state, given, prompter.eos_id, marker, room)
    seconds = (time.perf_counter() - started) / len(examples)
    before = [ids or list(marker) for ids in given]  # an answer is scored after the marker
    kinds = [
        [int(Kind.RATIONALE)] * (len(ids) - len(marker)) + [int(Kind.ANSWER)] * len(marker)
        for ids in before
    ]
    logprobs = option_logprobs(rollout, state, list(zip(before, kinds, strict=True)), options)
    return [
        Answer(
            text=prompter.decode(output),
            choice=parse_answer(
                prompter.decode(output[len(ids) :]), row, prompter.format.answer_form
            ),
            option_logprobs=tuple(scores),
            latent_steps=len(state.latents),
            new_tokens=len(output),
            seconds=seconds,
            at_once=not marker or first == marker[0],
        )
        for row, ids, output, scores, first in zip(
            texts, given, outputs, logprobs, own, strict=True
        )
    ]


def _generate_after(
    rollout: Rollout,
    state: Trajectory,
    given: Sequence[Sequence[int]],
    eos_id: int,
    marker: Sequence[int],
    max_new_tokens: int,
) -> list[list[int]]:
    """Continue greedily after given tokens, pass by pass as `decoding.generate` does."""
    state = state.fork()
    outputs: list[list[int]] = [[] for _ in given]
    answering = torch.full((len(given),), not marker, device=state.hidden.device)
    logits = rollout.backbone.logits(state.hidden)
    for length in range(max_new_tokens):
        tokens = logits.argmax(-1)
        for i, ids in enumerate(given):
            if length < len(ids):
                tokens[i] = ids[length]
            if eos_id not in outputs[i][len(ids) :]:
                outputs[i].append(int(tokens[i]))
        ended = [eos_id in output[len(ids) :] for ids, output in zip(given, outputs, strict=True)]
        if all(ended) or length + 1 == max_new_tokens:
            break
        if marker:
            answering = answering | (tokens == marker[0])
        kinds = torch.where(answering, int(Kind.ANSWER), int(Kind.RATIONALE))
        logits = rollout.extend(state, tokens[:, None], kinds[:, None])[:, -1]
    return outputs

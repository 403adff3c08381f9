"""Batches of dialogues: what a model is trained on that learns to follow a method.

A dialogue is one sequence: prompts, replies, further pictures and further replies, as they follow
on one another when the method is run. Every token of a reply, its end token among them, is
predicted from the position before it; prompts are not. A method whose later prompts do not go on
from its earlier ones gives several dialogues a question.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from PIL.Image import Image
from torch import Tensor
from torch.nn.functional import cross_entropy

from latentlab.backbones import Batch
from latentlab.data import Example
from latentlab.errors import UserError
from latentlab.methods.call import Call
from latentlab.methods.run import question_of
from latentlab.methods.speaker import Speaker
from latentlab.methods.taught import Lesson
from latentlab.reasoner import Reasoner
from latentlab.reasoning.rollout import Rollout

NOTHING = -100
"""Target of a position that has nothing to predict."""


@dataclass(frozen=True)
class DialogueBatch:
    """Dialogues, and what is to be predicted in them."""

    dialogues: Batch
    """Whole dialogues, aligned as prompts are; the last token of each is left out."""

    targets: Int[Tensor, "batch seq"]
    """Token that is to follow each position; `NOTHING` where none is learned."""

    @property
    def n_targets(self) -> int:
        """Number of tokens that are to be predicted."""
        return int((self.targets != NOTHING).sum())


@dataclass(frozen=True)
class Dialogue:
    """One sequence in which replies are learned."""

    calls: tuple[Call, ...]
    """The calls, each of which goes on from the one before."""

    replies: tuple[str, ...]
    """What is replied to each."""


def dialogues_of(lesson: Lesson, reasoner: Reasoner, example: Example) -> list[Dialogue]:
    """What a model is to learn from one example."""
    found: list[Dialogue] = []
    for call, reply in lesson.taught(question_of(reasoner, example, longest=64)):
        if found and call.turns[: len(found[-1].calls[-1].turns)] == found[-1].calls[-1].turns:
            last = found.pop()
            found.append(Dialogue((*last.calls, call), (*last.replies, reply)))
        else:
            found.append(Dialogue((call,), (reply,)))
    return found


def dialogue_batch(
    lesson: Lesson, reasoner: Reasoner, examples: Sequence[Example]
) -> DialogueBatch:
    """Word and align the dialogues of some examples.

    Raises:
        UserError: an example has no trace or no picture, or a dialogue does not fit the model.
    """
    speaker, prompter = Speaker(reasoner), reasoner.prompter
    pairs = [(e.id, d) for e in examples for d in dialogues_of(lesson, reasoner, e)]
    images: list[Image] = [image for _, d in pairs for image in d.calls[-1].pictures]
    inputs = reasoner.backbone.prepare_images(images)
    shown = iter(zip(inputs.texts, inputs.counts, strict=True))
    rows: list[tuple[list[int], dict[int, int]]] = []
    for name, dialogue in pairs:
        pictures = [next(shown) for _ in dialogue.calls[-1].pictures]
        targets: dict[int, int] = {}
        ids: list[int] = []
        for call, reply in zip(dialogue.calls, dialogue.replies, strict=True):
            before = ids
            ids = speaker.row(call, pictures[: len(call.pictures)], name)
            if ids[: len(before)] != before:
                raise UserError(f"{name}: the chat template does not go on from earlier turns")
            words = prompter.encode(reply)
            targets |= {len(ids) - 1 + i: word for i, word in enumerate([*words, prompter.eos_id])}
            ids = [*ids, *words]
        rows.append((ids, targets))
    width = max(len(ids) for ids, _ in rows)
    pads = [width - len(ids) for ids, _ in rows]
    aligned = torch.tensor(
        [[prompter.pad_id] * pad + ids for pad, (ids, _) in zip(pads, rows, strict=True)]
    )
    mask = torch.arange(width)[None] >= torch.tensor(pads)[:, None]
    learned = torch.full_like(aligned, NOTHING)
    for i, (pad, (_, targets)) in enumerate(zip(pads, rows, strict=True)):
        for place, token in targets.items():
            learned[i, pad + place] = token
    names = tuple(name for name, _ in pairs)
    return DialogueBatch(Batch(names, aligned, mask, inputs.pixels), learned)


def dialogue_loss(rollout: Rollout, batch: DialogueBatch) -> Float[Tensor, ""]:
    """Mean cross-entropy in nats over the tokens of all replies."""
    device = rollout.backbone.device
    targets = batch.targets.to(device)
    wanted = targets != NOTHING
    hidden = rollout.read(batch.dialogues.to(device))
    logits = rollout.backbone.logits(hidden[wanted])
    return cross_entropy(logits.float(), targets[wanted])

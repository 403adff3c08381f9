"""The examples of one stage, in an order that depends on nothing but the seed.

Replay is drawn once per batch, from the batch's number, so a resumed run sees exactly the batches
that an uninterrupted one would have seen.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np
from torch.utils.data import Dataset

from latentlab.backbones import Batch
from latentlab.console import warn
from latentlab.data import Benchmark, Example, Examples, load_data
from latentlab.data.leftout import Substituted
from latentlab.errors import UserError
from latentlab.methods.taught import lesson_of
from latentlab.reasoner import Reasoner
from latentlab.reasoning.layout import step_width
from latentlab.reasoning.plan import LatentPlan
from latentlab.study.asked import tell_left_out
from latentlab.training.conditions import Condition
from latentlab.training.config import StageConfig, TrainConfig
from latentlab.training.held_out import (
    divided,
    held_out_examples,
    is_held_apart,
    warn_of_overlap,
)
from latentlab.training.lessons import DialogueBatch, dialogue_batch
from latentlab.training.objective import TrainingBatch

LOOKED_AT = 64
"""Examples of own data among which there must be a rationale."""


@dataclass(frozen=True)
class StageItem:
    """One training example and the number of its steps that are latent."""

    example: Example
    """The example."""

    latent_steps: int
    """Latent steps, the stage's or, on replay, fewer."""

    condition: Condition = "own"
    """What the example's batch is made to do without."""


class StageData(Dataset[StageItem]):
    """A stage's examples in training order: a fresh shuffle at every pass over a finite set."""

    def __init__(self, examples: Sequence[Example], stage: StageConfig, seed: int) -> None:
        """Fix the order by the seed, and how many updates the stage's epochs are."""
        self.examples = examples
        self.stage = with_updates(stage, examples)
        self.seed = seed
        self._pass: tuple[int, list[int]] = (-1, [])

    def __len__(self) -> int:
        """Return how many examples the stage's updates consume."""
        return self.stage.updates * self.stage.batch_size

    def __getitem__(self, index: int) -> StageItem:
        """Return the example that stands at `index` of the training order."""
        number = index // self.stage.batch_size
        example = self.examples[self.position(index)]
        return StageItem(example, self.latent_steps(number), self.condition(number))

    def position(self, index: int) -> int:
        """Where in the examples the one that stands at `index` of the training order is."""
        if is_fresh(self.stage):
            return index
        number, offset = divmod(index, len(self.examples))
        if self._pass[0] != number:
            rng = np.random.default_rng((self.seed, crc32(self.stage.name.encode()), number))
            self._pass = (number, rng.permutation(len(self.examples)).tolist())
        return self._pass[1][offset]

    def latent_steps(self, batch_number: int) -> int:
        """Latent steps of a batch: the stage's, or an earlier stage's with probability `replay`."""
        rng = np.random.default_rng((self.seed, 1, batch_number))
        if self.stage.replay and rng.random() < self.stage.replay:
            return int(rng.integers(self.stage.latent_steps))
        return self.stage.latent_steps

    def condition(self, batch_number: int) -> Condition:
        """What a batch is made to do without; nothing, where it takes no latent steps."""
        if not self.latent_steps(batch_number):
            return "own"
        rng = np.random.default_rng((self.seed, 2, batch_number))
        return self.stage.conditions[int(rng.integers(len(self.stage.conditions)))]


class Collator:
    """Turns items into a training batch for one reasoner."""

    def __init__(self, reasoner: Reasoner, rationale: bool, max_tokens: int | None = None) -> None:
        """Keep how the stage words its targets.

        Args:
            reasoner: the model that is trained.
            rationale: whether remaining steps are written.
            max_tokens: longest sequence, of prompt, slots of latent steps and text; None for any.

        Raises:
            UserError: the plan writes its steps, but the stage has no rationale to write.
        """
        if reasoner.plan.in_words and not rationale:
            raise UserError(
                "a plan with content='words' writes rationales; train it with rationale=true"
            )
        self.reasoner = reasoner
        self.rationale = rationale
        self.max_tokens = max_tokens

    def __call__(self, items: Sequence[StageItem]) -> dict[str, TrainingBatch | DialogueBatch]:
        """Tokenize prompts and remaining text, or the dialogues of a method.

        Raises:
            UserError: an example lacks what the plan needs.
            ValueError: items of different stages in one batch.
        """
        kinds = {(item.latent_steps, item.condition) for item in items}
        if len(kinds) != 1:
            raise ValueError(f"one batch holds stages or conditions {sorted(kinds)}")
        ((latent_steps, condition),) = kinds
        examples = [item.example for item in items]
        if self.reasoner.method:
            lesson = lesson_of(self.reasoner.method)
            return {"batch": dialogue_batch(lesson, self.reasoner, examples)}
        plan = self.reasoner.plan.replace(steps=latent_steps)
        prompter = self.reasoner.prompter
        prompts = prompter.batch(examples, plan)
        examples = self._fitted(examples, prompts, plan)
        if plan.in_words:
            words, text = prompter.written(examples, latent_steps)
        else:
            skip = latent_steps if self.rationale else None
            words, text = (), prompter.continuation(examples, skip)
        return {"batch": TrainingBatch(prompts, latent_steps, text, words, condition)}

    def _fitted(
        self, examples: Sequence[Example], prompts: Batch, plan: LatentPlan
    ) -> list[Example]:
        """Leave out whole steps, the last ones first, of examples whose sequence is too long.

        As the IVT-LR release does; steps that the plan takes stay, whether latent or in words.
        """
        fitted = list(examples)
        if self.max_tokens is None or not self.rationale:
            return fitted
        images = prompts.input_ids == self.reasoner.backbone.image_token_id
        slots = plan.steps * step_width(plan, (images & prompts.attention_mask).sum(-1))
        room = self.max_tokens - prompts.attention_mask.sum(-1) - slots
        for i, left in enumerate(room.tolist()):
            while len(fitted[i].rationale) > plan.steps and self._length(fitted[i], plan) > left:
                fitted[i] = replace(fitted[i], rationale=fitted[i].rationale[:-1])
        return fitted

    def _length(self, example: Example, plan: LatentPlan) -> int:
        """Tokens of what is written after the latent steps."""
        skip = 0 if plan.in_words else plan.steps
        return self.reasoner.prompter.continuation([example], skip).ids.shape[1]


def is_fresh(stage: StageConfig) -> bool:
    """Whether a stage's data has no end: the benchmark, unless its size is asked for."""
    name, _, options = stage.data.partition(":")
    sized = any(option.partition("=")[0].strip() == "size" for option in options.split(","))
    return name == "benchmark" and not sized


def with_updates(stage: StageConfig, examples: Sequence[Example]) -> StageConfig:
    """Turn a stage's epochs into updates: as many as take every example so often.

    Raises:
        UserError: the data has no end.
    """
    if not stage.epochs:
        return stage
    if is_fresh(stage):
        raise UserError(
            f"stage {stage.name!r}: {stage.data!r} has no end, so there are no epochs of it; give "
            "updates, or the data a size"
        )
    updates = math.ceil(stage.epochs * len(examples) / stage.batch_size)
    return replace(stage, updates=updates, epochs=0.0)


def stage_examples(
    stage: StageConfig, seed: int, number: int, held_apart: bool = False
) -> Examples:
    """Training examples of a stage; data without an end makes as many as the stage consumes.

    Rows of own data that are no examples are left out; where a picture cannot be read, the next
    example stands in for it.

    Args:
        stage: the stage.
        seed: the training's seed.
        number: place of the stage, from 0.
        held_apart: whether the data has no held-out part, so that a tenth of it is held out.
    """
    examples = load_data(stage.data, "train", seed * 1000 + number, strict=False)
    if is_fresh(stage) and isinstance(examples, Benchmark):
        return Benchmark(replace(examples.config, size=stage.updates * stage.batch_size))
    if isinstance(examples, Benchmark):
        return examples
    return Substituted(divided(examples, held_out=False) if held_apart else examples, warn)


def check_data(config: TrainConfig) -> None:
    """Look at the data of every stage before the first is trained.

    Raises:
        UserError: data cannot be had, or lacks the rationales a stage is to write.
    """
    held_out_examples(config, 1)
    opened: dict[str, Examples] = {}
    for number, stage in enumerate(config.stages):
        examples = stage_examples(stage, config.seed, number, is_held_apart(config, stage.data))
        with_updates(stage, examples)
        if isinstance(examples, Benchmark):
            continue  # which has no rationale where one hop needs none
        first = (examples[i] for i in range(min(LOOKED_AT, len(examples))))
        if stage.rationale and not any(example.rationale for example in first):
            raise UserError(
                f"stage {stage.name!r}: the data {stage.data!r} has no rationales to train on; "
                "rationale=false trains without"
            )
        opened[stage.data] = examples
    for data, examples in opened.items():
        tell_left_out(data, examples.left_out, hint="")
        warn_of_overlap(config, data, examples)

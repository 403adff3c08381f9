"""The examples of one stage, in an order that depends on nothing but the seed, and their batches.

Replay is drawn once per batch, from the batch's number, so a resumed run sees exactly the batches
that an uninterrupted one would have seen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch.utils.data import Dataset

from latentlab.backbones import Batch
from latentlab.data import Example
from latentlab.errors import UserError
from latentlab.methods.taught import lesson_of
from latentlab.reasoner import Reasoner
from latentlab.reasoning.layout import step_width
from latentlab.reasoning.plan import LatentPlan
from latentlab.training.conditions import Condition
from latentlab.training.config import StageConfig
from latentlab.training.grouping import Lengths
from latentlab.training.lessons import DialogueBatch, dialogue_batch
from latentlab.training.objective import TrainingBatch
from latentlab.training.opened import with_updates
from latentlab.training.order import Grouped, Shuffled


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

    def __init__(
        self,
        examples: Sequence[Example],
        stage: StageConfig,
        seed: int,
        lengths: Callable[[Example], Lengths] | None = None,
    ) -> None:
        """Fix the order by the seed, and how many updates the stage's epochs are.

        Args:
            examples: what the stage trains on.
            stage: the stage.
            seed: the training's seed.
            lengths: measures an example, where batches are of examples of about the same lengths.
        """
        self.examples = examples
        self.stage = with_updates(stage, examples)
        self.seed = seed
        self.position: Callable[[int], int] = (
            shuffled := Shuffled(self.stage, len(examples), seed)
        )
        if lengths is not None:
            self.position = Grouped(shuffled, lambda at: lengths(examples[at]), len(self))

    def __len__(self) -> int:
        """Return how many examples the stage's updates consume."""
        return self.stage.updates * self.stage.batch_size

    def __getitem__(self, index: int) -> StageItem:
        """Return the example that stands at `index` of the training order."""
        number = index // self.stage.batch_size
        example = self.examples[self.position(index)]
        return StageItem(example, self.latent_steps(number), self.condition(number))

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

"""The examples of one stage, in an order that depends on nothing but the seed.

Replay is drawn once per batch, from the batch's number, so a resumed run sees exactly the batches
that an uninterrupted one would have seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch.utils.data import Dataset

from latentlab.data.example import Example
from latentlab.reasoner import Reasoner
from latentlab.training.config import StageConfig
from latentlab.training.objective import TrainingBatch


@dataclass(frozen=True)
class StageItem:
    """One training example and the number of its steps that are latent."""

    example: Example
    """The example."""

    latent_steps: int
    """Latent steps, the stage's or, on replay, fewer."""


class StageData(Dataset[StageItem]):
    """A stage's examples in training order: a fresh shuffle at every pass over a finite set."""

    def __init__(self, examples: Sequence[Example], stage: StageConfig, seed: int) -> None:
        """Fix the order by the seed."""
        self.examples = examples
        self.stage = stage
        self.seed = seed

    def __len__(self) -> int:
        """Return how many examples the stage's updates consume."""
        return self.stage.updates * self.stage.batch_size

    def __getitem__(self, index: int) -> StageItem:
        """Return the example that stands at `index` of the training order."""
        epoch, offset = divmod(index, len(self.examples))
        if len(self.examples) < len(self):
            rng = np.random.default_rng((self.seed, epoch))
            offset = int(rng.permutation(len(self.examples))[offset])
        steps = self.latent_steps(index // self.stage.batch_size)
        return StageItem(self.examples[offset], steps)

    def latent_steps(self, batch_number: int) -> int:
        """Latent steps of a batch: the stage's, or an earlier stage's with probability `replay`."""
        rng = np.random.default_rng((self.seed, 1, batch_number))
        if self.stage.replay and rng.random() < self.stage.replay:
            return int(rng.integers(self.stage.latent_steps))
        return self.stage.latent_steps


class Collator:
    """Turns items into a training batch for one reasoner."""

    def __init__(self, reasoner: Reasoner, rationale: bool) -> None:
        """Keep how the stage words its targets."""
        self.reasoner = reasoner
        self.rationale = rationale

    def __call__(self, items: Sequence[StageItem]) -> dict[str, TrainingBatch]:
        """Tokenize prompts and remaining text.

        Raises:
            ValueError: items of different stages in one batch.
        """
        steps = {item.latent_steps for item in items}
        if len(steps) != 1:
            raise ValueError(f"one batch holds stages {sorted(steps)}")
        (latent_steps,) = steps
        examples = [item.example for item in items]
        plan = self.reasoner.plan.replace(steps=latent_steps)
        skip = latent_steps if self.rationale else None
        prompter = self.reasoner.prompter
        return {
            "batch": TrainingBatch(
                prompter.batch(examples, plan),
                latent_steps,
                prompter.continuation(examples, skip),
            )
        }

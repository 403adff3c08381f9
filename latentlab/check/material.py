"""What a model is checked on, and how two outcomes are compared.

Pictures are of different sizes and questions of different lengths, so that prompts need padding and
families that cut pictures into tiles cut them differently.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from transformers import DynamicCache

from latentlab.backbones import Batch
from latentlab.data.example import Example
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.trajectory import Trajectory

PLAN = LatentPlan(steps=2, k=2, positions="mrope")
"""Two latent steps of two patches, at the family's own positions."""

SIZES = ((128, 96), (96, 128), (192, 96))
QUESTIONS = ("What is shown here?", "Which shape is red?", "What is the shape of the blue one?")
CHOICES = ("circle", "square")


@dataclass(frozen=True, eq=False)
class Material:
    """A model and what it is asked."""

    reasoner: Reasoner
    """The model under `PLAN`."""

    examples: Sequence[Example]
    """Questions on pictures."""

    def rollout(self) -> Rollout:
        """The engine, with the attention of all layers."""
        return self.reasoner.rollout(capture_layers=range(self.reasoner.backbone.n_layers))

    def batch(self) -> Batch:
        """All examples, padded to one length."""
        return self.reasoner.batch(self.examples)

    def singles(self) -> list[Batch]:
        """One example after the other, without padding."""
        return [self.reasoner.batch([example]) for example in self.examples]

    def wordy(self) -> list[Batch]:
        """The same questions without their pictures."""
        return [self.reasoner.batch([replace(one, image=None)]) for one in self.examples]


def material_of(reasoner: Reasoner, seed: int = 0) -> Material:
    """Put a model under the plan of the checks and draw the pictures."""
    generator = np.random.default_rng(seed)
    examples = []
    for i, (question, (width, height)) in enumerate(zip(QUESTIONS, SIZES, strict=True)):
        pixels = generator.integers(256, size=(height, width, 3), dtype=np.uint8)
        picture = Image.fromarray(pixels)
        examples.append(Example(f"check-{i}", question, CHOICES, CHOICES[i % 2], picture))
    prompter, placeholder = reasoner.prompter, reasoner.placeholder_id
    planned = Reasoner(reasoner.backbone, PLAN, prompter, placeholder, reasoner.name)
    return Material(planned, examples)


def difference(found: Tensor, expected: Tensor, least: float = 1.0) -> float:
    """Largest absolute difference, divided by the largest expected value.

    Args:
        found: our values.
        expected: those to compare with; what is as low as a number can be rules a token out, and is
            no value.
        least: the least to divide by, so that small numbers need not agree to more digits.
    """
    found, expected = found.detach().cpu(), expected.detach().cpu()
    ordinary = expected.abs() < torch.finfo(expected.dtype).max / 2
    scale = max(least, float(expected[ordinary].abs().max()))
    return float((found.double() - expected.double()).abs().max()) / scale


def states_of(state: Trajectory) -> list[Tensor]:
    """The newest hidden state and the keys and values of all layers."""
    return [state.hidden, *keys_and_values(state.cache)]


def keys_and_values(cache: DynamicCache) -> list[Tensor]:
    """What a cache holds, layer by layer."""
    layers: list[Any] = cache.layers
    return [held for layer in layers for held in (layer.keys, layer.values)]


def worst(differences: Sequence[float]) -> float:
    """The largest; what is no number is worse than all."""
    return float(np.max(differences))

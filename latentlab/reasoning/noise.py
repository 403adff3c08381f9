"""Noise as a source of replacements: added to a latent, or put in its place.

How much a model loses depends on the size of the noise more than on anything else, so every kind
says what its size is measured by. `Noise` and `MatchedNoise` take the spread of each slot over
reference examples as their unit, `NormMatched` the norm of each vector that it replaces, and
`UnitNoise`, which is the published one, takes none.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.draws import example_generator
from latentlab.errors import UserError
from latentlab.reasoning.bank import Bank
from latentlab.reasoning.sources import Context


@dataclass(frozen=True, eq=False)
class Noise:
    """Gaussian noise added to a latent, in units of the slot's own standard deviation.

    z' = z + sigma * s * e, with e standard normal and s the standard deviation of each dimension of
    the slot over the reference examples, so that sigma means the same in every model.
    """

    bank: Bank
    """The reference rollouts that give s."""

    sigma: float = 1.0
    """Strength, in standard deviations of the slot."""

    keep_norm: bool = False
    """Whether to scale each noisy vector back to the norm of the original: it then turns without
    growing."""

    def values(
        self, original: Float[Tensor, "batch slots hidden"], part: str, step: int, context: Context
    ) -> Float[Tensor, "batch slots hidden"]:
        """Return the noisy latents; sigma = 0 returns them bit for bit."""
        if self.sigma == 0:
            return original
        _, deviation = _moments(self.bank, part, step)
        noise = _standard_normal(original, part, step, context)
        noisy = original + self.sigma * deviation.to(original) * noise
        if self.keep_norm:
            noisy = noisy * (original.norm(dim=-1, keepdim=True) / noisy.norm(dim=-1, keepdim=True))
        return noisy


@dataclass(frozen=True, eq=False)
class MatchedNoise:
    """Noise instead of a latent, with the moments of latents.

    z' = m + s * e, with m and s the mean and the standard deviation of each dimension of the slot
    over the reference examples and e standard normal: the distribution-matched random tokens of the
    token replacement test (arXiv 2605.21642), without correlations between dimensions.
    """

    bank: Bank
    """The reference rollouts that give m and s."""

    def values(
        self, original: Float[Tensor, "batch slots hidden"], part: str, step: int, context: Context
    ) -> Float[Tensor, "batch slots hidden"]:
        """Return noise that is typical of the slot in size and place."""
        mean, deviation = _moments(self.bank, part, step)
        noise = _standard_normal(original, part, step, context)
        return mean.to(original) + deviation.to(original) * noise


@dataclass(frozen=True)
class NormMatched:
    """A random direction instead of a latent, with the latent's own norm: z' = |z| e / |e|.

    e is standard normal, so that all directions are as likely. Nothing of a latent is left but its
    length; unlike `MatchedNoise` it takes no references, and unlike `UnitNoise` it is of the size
    that the model is used to.
    """

    def values(
        self, original: Float[Tensor, "batch slots hidden"], part: str, step: int, context: Context
    ) -> Float[Tensor, "batch slots hidden"]:
        """Return vectors of the same norms in random directions."""
        noise = _standard_normal(original, part, step, context)
        scale: Tensor = original.norm(dim=-1, keepdim=True) / noise.norm(dim=-1, keepdim=True)
        return noise * scale


@dataclass(frozen=True)
class UnitNoise:
    """Standard normal noise instead of a latent, z' = e, as arXiv 2605.18641 codes its ablation.

    Its norm is the square root of the width, whatever that of the latents is: what it costs may be
    due to its size. Read it next to `MatchedNoise` and `NormMatched`.
    """

    def values(
        self, original: Float[Tensor, "batch slots hidden"], part: str, step: int, context: Context
    ) -> Float[Tensor, "batch slots hidden"]:
        """Return standard normal noise."""
        return _standard_normal(original, part, step, context)


@lru_cache(maxsize=16)  # the same for all batches; more would keep banks that nobody needs
def _moments(bank: Bank, part: str, step: int) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of a slot over reference examples: (slots, hidden) each."""
    if len(bank.examples) < 2:
        raise UserError("noise in units of the deviation over examples needs at least two")
    values = bank.typical(part, step)
    if len(values) < 2:  # one alone that took the step has no deviation
        values = bank.part(part, step)
    return values.mean(0), values.std(0)


def _standard_normal(
    original: Float[Tensor, "batch slots hidden"], part: str, step: int, context: Context
) -> Float[Tensor, "batch slots hidden"]:
    """Standard normal noise from each example's own stream, the same for every kind of noise."""
    streams = [
        example_generator(example, context.seed, f"noise {part.removeprefix('latent_')}", step)
        for example in context.examples
    ]
    draws = [torch.randn(original.shape[1:], generator=stream) for stream in streams]
    return torch.stack(draws).to(original)

"""Where a replacement for a latent comes from.

A `Source` gives new vectors for one part of a latent at one step. Every source is a function of the
example, the step and a seed, never of the batch an example happens to run in. What references give
(means, donors) comes out of a `Bank`. Noise, other orders of the steps and other patches of the
picture have modules of their own (`noise.py`, `orders.py`, `off_walk.py`).
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.errors import UserError
from latentlab.reasoning.bank import Bank
from latentlab.reasoning.donors import Donors
from latentlab.reasoning.trajectory import Patches


@dataclass(frozen=True)
class Context:
    """What an intervention may know of the rollout it edits."""

    examples: Sequence[str]
    """Identifiers of the batch's examples."""

    placeholder: Float[Tensor, "1 hidden"] | None
    """Embedding of the placeholder token, where the model has one."""

    seed: int
    """Seed of whatever is random."""

    own: Bank | None = None
    """The batch's own undisturbed latents, where a study has recorded them."""

    patches: Patches | None = None
    """The patches of the batch's pictures."""

    def drawn(self, draw: int) -> "Context":
        """The same context with other random streams; draw 0 is the run's own."""
        return dataclasses.replace(self, seed=self.seed + draw) if draw else self


class Source(Protocol):
    """Where a replacement for a part of a latent comes from."""

    def values(
        self, original: Float[Tensor, "batch slots hidden"], part: str, step: int, context: Context
    ) -> Float[Tensor, "batch slots hidden"]:
        """Return vectors of the same shape as the original part."""
        ...


@dataclass(frozen=True)
class Zero:
    """All zeros: off the distribution of latents, so read it beside `Mean`."""

    def values(
        self, original: Float[Tensor, "batch slots hidden"], part: str, step: int, context: Context
    ) -> Float[Tensor, "batch slots hidden"]:
        """Return zeros."""
        return torch.zeros_like(original)


@dataclass(frozen=True)
class Placeholder:
    """The embedding of the placeholder token: the slot's position without any content."""

    first: int = 0
    """How many slots, from the first, keep what they hold."""

    def values(
        self, original: Float[Tensor, "batch slots hidden"], part: str, step: int, context: Context
    ) -> Float[Tensor, "batch slots hidden"]:
        """Return the placeholder's embedding in every slot but the first ones."""
        if context.placeholder is None:
            raise UserError("this model has no placeholder token to replace latents with")
        empty = context.placeholder[:, None].expand_as(original)
        return torch.cat([original[:, : self.first], empty[:, self.first :]], dim=1)


@dataclass(frozen=True, eq=False)
class Vector:
    """One and the same vector in every slot, given by whoever intervenes."""

    vector: Float[Tensor, " hidden"]
    """The vector."""

    def values(
        self, original: Float[Tensor, "batch slots hidden"], part: str, step: int, context: Context
    ) -> Float[Tensor, "batch slots hidden"]:
        """Return the vector in every slot."""
        return self.vector.to(original).expand_as(original)


@dataclass(frozen=True, eq=False)
class Mean:
    """The mean latent of each slot over reference examples: typical, but about no example."""

    bank: Bank
    """The reference rollouts."""

    def values(
        self, original: Float[Tensor, "batch slots hidden"], part: str, step: int, context: Context
    ) -> Float[Tensor, "batch slots hidden"]:
        """Return each slot's mean."""
        return self.bank.typical(part, step).mean(0).to(original).expand_as(original)


@dataclass(frozen=True, eq=False)
class Constant:
    """One vector in every slot of every step (CapImagine's shared tensor): the grand mean."""

    bank: Bank
    """The reference rollouts."""

    def values(
        self, original: Float[Tensor, "batch slots hidden"], part: str, step: int, context: Context
    ) -> Float[Tensor, "batch slots hidden"]:
        """Return the part's mean over examples, steps and slots."""
        return self.bank.every(part).mean(0).to(original).expand_as(original)


@dataclass(frozen=True, eq=False)
class Resample:
    """The latents that another example had at the same step (resample ablation).

    All parts and steps of an example come from the same donor.
    """

    bank: Bank
    """The reference rollouts that lend."""

    donors: Donors
    """Who lends to whom; its references are the examples of the bank, in their order."""

    def values(
        self, original: Float[Tensor, "batch slots hidden"], part: str, step: int, context: Context
    ) -> Float[Tensor, "batch slots hidden"]:
        """Return the donor's vectors."""
        rows = torch.tensor(self.donors.of(context.examples, context.seed))
        return self.bank.part(part, step)[rows].to(original)


@dataclass(frozen=True, eq=False)
class Given:
    """Latents recorded elsewhere, matched by example: the source of shams, patches, permutations.

    With `order`, step t receives what step order[t] held, which permutes the steps.
    """

    bank: Bank | None = None
    """Recorded latents that cover the examples of every batch; None takes each example's own
    undisturbed latents, which makes the replacement a sham."""

    order: tuple[int, ...] | None = None
    """Which recorded step to use at each step; None means its own."""

    def values(
        self, original: Float[Tensor, "batch slots hidden"], part: str, step: int, context: Context
    ) -> Float[Tensor, "batch slots hidden"]:
        """Return the recorded vectors of the same examples."""
        bank = context.own if self.bank is None else self.bank
        where = {example: i for i, example in enumerate(bank.examples if bank else ())}
        missing = [example for example in context.examples if example not in where]
        if bank is None or missing:
            raise UserError(f"no recorded latents for {', '.join(missing[:1]) or 'this batch'}")
        if self.order is not None and step >= len(self.order):
            raise UserError(f"the order {self.order} of the steps says nothing of step {step + 1}")
        rows = torch.tensor([where[example] for example in context.examples])
        source = step if self.order is None else self.order[step]
        return bank.part(part, source)[rows].to(original)

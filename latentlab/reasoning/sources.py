"""Where a replacement for a latent comes from.

A `Source` gives new vectors for one part of a latent at one step. Every source is a function of the
example, the step and a seed, never of the batch an example happens to run in. `Bank` holds the
undisturbed latents of reference examples, which give means, deviations and donors. Noise, other
orders of the steps and other patches of the picture have modules of their own (`noise.py`,
`orders.py`, `off_walk.py`).
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.errors import UserError
from latentlab.reasoning.donors import Donors
from latentlab.reasoning.trajectory import Latent, Patches


@dataclass(frozen=True)
class Context:
    """What an intervention may know of the rollout it edits."""

    examples: Sequence[str]
    """Identifiers of the batch's examples."""

    placeholder: Float[Tensor, "1 hidden"] | None
    """Embedding of the placeholder token, where the model has one."""

    seed: int
    """Seed of whatever is random."""

    own: "Bank | None" = None
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


PROMPT_PARTS = ("prompt", "image")
"""Parts of a prompt that a control may overwrite: its words and its image."""


@dataclass(frozen=True, eq=False)
class Bank:
    """Latents of undisturbed rollouts on reference examples: means, deviations and donors."""

    examples: tuple[str, ...]
    """Identifiers of the reference examples."""

    text: Float[Tensor, "examples steps hidden"] | None
    """Their latent texts."""

    vision: Float[Tensor, "examples steps k hidden"] | None
    """Their re-inserted image embeddings."""

    prompt: Float[Tensor, "examples hidden"] | None = None
    """The embedding of one word of each prompt, for controls on the prompt."""

    image: Float[Tensor, "examples hidden"] | None = None
    """The embedding of one image position of each prompt; None where some have no image."""

    @classmethod
    def of(
        cls,
        examples: Sequence[str],
        batches: Sequence[Sequence[Latent]],
        prompt: Float[Tensor, "examples hidden"] | None = None,
        image: Float[Tensor, "examples hidden"] | None = None,
    ) -> "Bank":
        """Gather the latents of several batches, each a sequence of steps."""

        def stack(part: str) -> Tensor | None:
            values = [[getattr(latent, part) for latent in steps] for steps in batches]
            shapes = {None if v is None else v.shape[1:] for steps in values for v in steps}
            if len(shapes) != 1 or None in shapes:
                return None
            return torch.cat([torch.stack(steps, dim=1) for steps in values]).detach()

        return cls(tuple(examples), stack("text"), stack("vision"), prompt, image)

    def part(self, part: str, step: int) -> Float[Tensor, "examples slots hidden"]:
        """Reference vectors of one part at one step; "prompt" and "image" have one slot, no steps.

        Raises:
            UserError: the reference rollouts have no such part, or no such step.
        """
        if part not in ("latent_text", "latent_vision", *PROMPT_PARTS):
            raise UserError(f"reference rollouts have no part {part!r}")
        values = {"latent_text": self.text, "latent_vision": self.vision}.get(
            part, self.ordinary(part)
        )
        if values is None:
            raise UserError(f"there is no {part} to take replacements from")
        if part in PROMPT_PARTS:
            return values[:, None]
        if step >= values.shape[1]:
            raise UserError(f"there is no {part} of step {step + 1} to take replacements from")
        return values[:, step, None] if part == "latent_text" else values[:, step]

    def ordinary(self, part: str) -> Float[Tensor, "examples hidden"] | None:
        """Reference vectors of ordinary positions: of words, or of the image where all have one."""
        return self.image if part == "image" and self.image is not None else self.prompt


@dataclass(frozen=True, eq=False)
class Mean:
    """The mean latent of each slot over reference examples: typical, but about no example."""

    bank: Bank
    """The reference rollouts."""

    def values(
        self, original: Float[Tensor, "batch slots hidden"], part: str, step: int, context: Context
    ) -> Float[Tensor, "batch slots hidden"]:
        """Return each slot's mean."""
        return self.bank.part(part, step).mean(0).to(original).expand_as(original)


@dataclass(frozen=True, eq=False)
class Constant:
    """One vector in every slot of every step (CapImagine's shared tensor): the grand mean."""

    bank: Bank
    """The reference rollouts."""

    def values(
        self, original: Float[Tensor, "batch slots hidden"], part: str, step: int, context: Context
    ) -> Float[Tensor, "batch slots hidden"]:
        """Return the part's mean over examples, steps and slots."""
        bank = self.bank
        values = {"latent_text": bank.text, "latent_vision": bank.vision}.get(
            part, bank.ordinary(part)
        )
        if values is None:
            raise UserError(f"there is no {part} to take a constant from")
        return values.flatten(0, -2).mean(0).to(original).expand_as(original)


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

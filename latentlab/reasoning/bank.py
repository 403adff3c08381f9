"""Latents of undisturbed rollouts, kept: what means, deviations and donors are taken from."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from latentlab.errors import UserError
from latentlab.reasoning.trajectory import Latent

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

    taken: Bool[Tensor, "examples steps"] | None = None
    """Which steps each of them took; None means all. In place of one that it did not take stands
    the state in which its block ended: that is what it lends."""

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

        return cls(tuple(examples), stack("text"), stack("vision"), prompt, image, stack("taken"))

    def part(self, part: str, step: int) -> Float[Tensor, "examples slots hidden"]:
        """Reference vectors of one part at one step; "prompt" and "image" have one slot, no steps.

        Raises:
            UserError: the reference rollouts have no such part, or no such step.
        """
        values = self._vectors(part)
        if part in PROMPT_PARTS:
            return values[:, None]
        if step >= values.shape[1]:
            raise UserError(f"there is no {part} of step {step + 1} to take replacements from")
        return values[:, step, None] if part == "latent_text" else values[:, step]

    def typical(self, part: str, step: int) -> Float[Tensor, "examples slots hidden"]:
        """Reference vectors of those that took the step, or of all where none did."""
        values = self.part(part, step)
        if self.taken is None or part in PROMPT_PARTS or not bool(self.taken[:, step].any()):
            return values
        return values[self.taken[:, step]]

    def every(self, part: str) -> Float[Tensor, "vectors hidden"]:
        """Reference vectors of a part at whatever steps were taken, in a row."""
        values = self._vectors(part)
        if self.taken is not None and part not in PROMPT_PARTS and bool(self.taken.any()):
            values = values[self.taken]
        return values.flatten(0, -2)

    def _vectors(self, part: str) -> Tensor:
        known = {"latent_text": self.text, "latent_vision": self.vision}
        if part not in (*known, *PROMPT_PARTS):
            raise UserError(f"reference rollouts have no part {part!r}")
        values = known[part] if part in known else self.ordinary(part)
        if values is None:
            raise UserError(f"there is no {part} to take replacements from")
        return values

    def ordinary(self, part: str) -> Float[Tensor, "examples hidden"] | None:
        """Reference vectors of ordinary positions: of words, or of the image where all have one."""
        return self.image if part == "image" and self.image is not None else self.prompt

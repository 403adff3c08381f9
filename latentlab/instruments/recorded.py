"""Undisturbed runs, kept for what is to be put into other ones: latents, picks, and every patch.

Several instruments ask what a model had in its slots, which cells these came from, and what other
cells would have given.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latentlab.data.example import Example
from latentlab.errors import UserError
from latentlab.reasoner import Reasoner
from latentlab.reasoning.sources import Bank
from latentlab.reasoning.trajectory import Latent
from latentlab.study import batches


@dataclass(frozen=True, eq=False)
class Recorded:
    """What a model did with some examples that have pictures of one size, in their order."""

    bank: Bank
    """Their latents."""

    picks: Int[Tensor, "examples steps k"] | None
    """Which patches were re-inserted; None where slots hold no patches."""

    patches: Float[Tensor, "examples patches hidden"]
    """The input-level embedding of every patch, re-inserted or not."""

    def at(
        self, picks: Int[Tensor, "examples steps k"]
    ) -> Float[Tensor, "examples steps k hidden"]:
        """Embeddings of the patches at these places."""
        index = picks.flatten(1)[..., None].expand(-1, -1, self.patches.shape[-1])
        return self.patches.gather(1, index).view(*picks.shape, -1)


@torch.no_grad()
def record_runs(
    reasoner: Reasoner, examples: Sequence[Example], batch_size: int = 64, seed: int = 0
) -> Recorded:
    """Run examples undisturbed, in the batches in which `study.run_arms` runs them.

    Raises:
        UserError: an example has no picture, or one of another size than the others'.
    """
    if len({example.image.size for example in examples if example.image is not None}) != 1 or any(
        example.image is None for example in examples
    ):
        raise UserError("patches can be compared between pictures of one size only")
    rollout = reasoner.rollout(seed=seed)
    names: list[str] = []
    steps: list[list[Latent]] = []
    picks: list[Tensor] = []
    patches: list[Tensor] = []
    for numbered in batches(examples, batch_size):
        asked = [example for _, example in numbered]
        state = rollout(reasoner.prompter.batch(asked, reasoner.plan).to(reasoner.backbone.device))
        names += state.batch.examples
        steps.append(state.latents)
        patches.append(state.patches.embeds)
        # A constant in a slot is no patch, whatever was picked for it.
        if state.picks is not None and reasoner.plan.content != "placeholder":
            picks.append(state.picks)
    found = torch.cat(picks) if picks else None
    return Recorded(Bank.of(names, steps), found, torch.cat(patches))

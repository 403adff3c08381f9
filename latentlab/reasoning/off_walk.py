"""Other patches of the same picture as a source of replacements.

A donor's patches differ from the example's own in two ways: they are of another picture, and they
do not show what the question needs. Patches of the same picture that lie off the question's walk
differ in the second alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.draws import example_generator
from latentlab.errors import UserError
from latentlab.reasoning.bank import PROMPT_PARTS
from latentlab.reasoning.orders import Reordered
from latentlab.reasoning.sources import Context


@dataclass(frozen=True, eq=False)
class OffWalk:
    """Patches of the example's own picture that none of its hops begins or ends at."""

    patches: Mapping[str, Sequence[int]]
    """Those patches of each example, at least one."""

    def values(
        self, original: Float[Tensor, "batch slots hidden"], part: str, step: int, context: Context
    ) -> Float[Tensor, "batch slots hidden"]:
        """Return input-level embeddings of patches, drawn for each example.

        No patch comes twice over the steps as long as there are enough. On the prompt, where such
        patches are what is overwritten, they change places with each other.

        Raises:
            UserError: the slots are not of patches, or nobody said which patches are off the walk.
        """
        if part in PROMPT_PARTS:
            return Reordered("permute", ()).values(original, part, step, context)
        if part != "latent_vision" or context.patches is None:
            raise UserError("patches off the walk can replace re-inserted patches only")
        slots = original.shape[1]
        picks = []
        for example in context.examples:
            if not (patches := self.patches.get(example)):
                raise UserError(f"{example}: no patch of its picture is known to be off the walk")
            stream = example_generator(example, context.seed, "off walk")
            order = torch.randperm(len(patches), generator=stream).tolist()
            first = step * slots
            picks.append([patches[order[i % len(order)]] for i in range(first, first + slots)])
        return context.patches.gather(torch.tensor(picks, device=original.device)).to(original)

"""Undisturbed runs, kept for what is to be put into other ones: latents, picks, and every patch.

Several instruments ask what a model had in its slots, which cells these came from, and what other
cells would have given; and who lends to whom where another one's are asked for.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latentlab.data.example import Example
from latentlab.draws import example_generator
from latentlab.reasoner import Reasoner
from latentlab.reasoning.bank import Bank
from latentlab.reasoning.trajectory import Latent
from latentlab.study.batches import Numbered, over_batches


@dataclass(frozen=True, eq=False)
class Recorded:
    """What a model did with some examples, in their order where all or none have pictures."""

    bank: Bank
    """Their latents."""

    picks: Int[Tensor, "examples steps k"] | None
    """Which patches were re-inserted; None where slots hold no patches."""

    patches: Float[Tensor, "examples patches hidden"] | None
    """The input-level embedding of every patch, re-inserted or not; None where pictures have
    different numbers of them."""

    def at(
        self, picks: Int[Tensor, "examples steps k"]
    ) -> Float[Tensor, "examples steps k hidden"]:
        """Embeddings of the patches at these places."""
        assert self.patches is not None
        index = picks.flatten(1)[..., None].expand(-1, -1, self.patches.shape[-1])
        return self.patches.gather(1, index).view(*picks.shape, -1)


@torch.no_grad()
def record_runs(
    reasoner: Reasoner, examples: Sequence[Example], batch_size: int = 64, seed: int = 0
) -> Recorded:
    """Run examples undisturbed, in the batches in which `study.run.run_arms` runs them."""
    rollout = reasoner.rollout(seed=seed)

    def of_batch(numbered: Numbered) -> tuple[list[str], list[Latent], Tensor, Tensor | None]:
        asked = [example for _, example in numbered]
        state = rollout(reasoner.batch(asked))
        # A constant in a slot is no patch, whatever was picked for it.
        picked = state.picks if reasoner.plan.content != "placeholder" else None
        return [example.id for example in asked], state.latents, state.patches.embeds, picked

    found = over_batches(examples, batch_size, of_batch, f"{reasoner.name}: undisturbed")
    names, steps, patches, picks = zip(*found, strict=True)
    picked = [of for of in picks if of is not None]
    return Recorded(
        Bank.of([name for of in names for name in of], steps),
        torch.cat(picked) if picked else None,
        torch.cat(patches) if len({of.shape[1] for of in patches}) == 1 else None,
    )


def cycled(examples: Sequence[Example], seed: int) -> list[int]:
    """Another example for each, all of them used once; of its own domain where that has two.

    Args:
        examples: at least two.
        seed: seed of the order in which each lends to the next.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for i, example in enumerate(examples):
        groups[example.domain].append(i)
    alone = [i for group in groups.values() if len(group) == 1 for i in group]
    circles = [group for group in groups.values() if len(group) > 1]
    if len(alone) == 1 and circles:
        circles[0] += alone
    elif alone:
        circles.append(alone)
    found = list(range(len(examples)))
    for circle in circles:
        stream = example_generator(examples[circle[0]].id, seed, "cycle")
        order = [circle[i] for i in torch.randperm(len(circle), generator=stream).tolist()]
        for receiver, giver in zip(order, [*order[1:], order[0]], strict=True):
            found[receiver] = giver
    return found

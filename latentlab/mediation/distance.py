"""How far latents move when the input does, in units that compare across slots and models.

Raw cosines of hidden states are near one for any two inputs, since all states share a large mean;
centred ones, and distances in units of the deviation over examples, say more. Vectors that are
equal bit for bit have distance exactly 0, also where rounding or a slot that never varies would
give something else: a model whose latents are constants must read 0.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Spread:
    """Mean and standard deviation of a slot over reference examples."""

    mean: Float[Tensor, "*slot hidden"]
    """Mean vector of each slot."""

    std: Float[Tensor, "*slot hidden"]
    """Standard deviation of each dimension of each slot."""

    @classmethod
    def of(cls, values: Float[Tensor, "examples *slot hidden"]) -> "Spread":
        """Measure it.

        Raises:
            ValueError: there are fewer than two examples.
        """
        if len(values) < 2:
            raise ValueError("a deviation over examples needs at least two")
        values = values.double()
        return cls(values.mean(0), values.std(0))


def cosine_distance(
    before: Float[Tensor, "*batch hidden"],
    after: Float[Tensor, "*batch hidden"],
    centre: Float[Tensor, "*#batch hidden"] | None = None,
) -> Float[Tensor, "*batch"]:
    """1 - cosine of two vectors: 0 for the same direction, 1 at a right angle, 2 for opposite ones.

    Args:
        before: the undisturbed vectors.
        after: the same slots on another input.
        centre: what to subtract from both first, e.g. the mean of the slot over examples.
    """
    one, other = before.double(), after.double()
    if centre is not None:
        one, other = one - centre, other - centre
    distance = 1 - torch.cosine_similarity(one, other, dim=-1)
    return distance.clamp(min=0).masked_fill((before == after).all(-1), 0)


def scaled_distance(
    before: Float[Tensor, "*batch hidden"],
    after: Float[Tensor, "*batch hidden"],
    std: Float[Tensor, "*#batch hidden"],
) -> Float[Tensor, "*batch"]:
    """Distance in standard deviations: the root mean square over dimensions of (z' - z) / s.

    Two examples drawn independently are sqrt(2) apart on average (in the root mean square), so
    that a perturbation at 1.4 moves a latent as far as another question would.

    Args:
        before: the undisturbed vectors z.
        after: the same slots on another input, z'.
        std: s of each dimension, over examples. Where it is 0 a dimension that does not move counts
            as 0 and one that does as infinitely far.
    """
    step = after.double() - before.double()
    scaled = torch.where(step == 0, step, step / std.double())
    return scaled.square().mean(-1).sqrt()


def overlap(
    before: Int[Tensor, "batch k"], after: Int[Tensor, "batch k"]
) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
    """How many picked patches two runs share; -1 marks padding.

    Returns:
        The fraction of the earlier picks that were picked again, and the Jaccard index (shared
        picks over all that either run picked).
    """
    kept, jaccard = [], []
    for one, other in zip(before.tolist(), after.tolist(), strict=True):
        first, second = set(one) - {-1}, set(other) - {-1}
        kept.append(len(first & second) / max(len(first), 1))
        jaccard.append(len(first & second) / max(len(first | second), 1))
    return torch.tensor(kept), torch.tensor(jaccard)


def aligned(
    before: Int[Tensor, "batch k"], after: Int[Tensor, "batch k"], vectors: Tensor
) -> tuple[Float[Tensor, "batch k hidden"], Tensor]:
    """Put what was re-inserted after a perturbation into the slots that its patches had before.

    Args:
        before: the earlier picks.
        after: the later picks.
        vectors: (batch, k, hidden) embeddings of the later picks, slot by slot.

    Returns:
        The vectors in the earlier order, and (batch, k) whether a slot's patch was picked again;
        where it was not, the vector means nothing.
    """
    same = (before[:, :, None] == after[:, None, :]) & (before >= 0)[:, :, None]
    slot = same.int().argmax(-1)
    return vectors.gather(1, slot[..., None].expand_as(vectors)), same.any(-1)

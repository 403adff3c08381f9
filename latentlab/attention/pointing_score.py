"""Does attention point at the right patch? Pointing score and region enrichment.

Pointing asks whether a patch is among the k most attended; region enrichment (Xiao et al., ReaLVR,
2026) by how much the attention on it exceeds that on background of the same area. Both need data
that say which patch is the right one, and both come with picks that know nothing: k at random, and
the k least attended.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latentlab.draws import example_generator


def by_attention(
    attention: Float[Tensor, "batch patches"], exists: Bool[Tensor, "batch patches"]
) -> Int[Tensor, "batch patches"]:
    """Indices of the patches, most attended first; patches that do not exist come last."""
    scores = attention.masked_fill(~exists, -torch.inf)
    return scores.sort(dim=-1, descending=True, stable=True).indices


def at_random(
    exists: Bool[Tensor, "batch patches"], examples: Sequence[str], seed: int, step: int
) -> Int[Tensor, "batch patches"]:
    """Indices of the patches in an order that depends on example, seed and step alone."""
    width = exists.shape[1]
    draws = [
        torch.rand(width, generator=example_generator(example, seed, "pointing", step))
        for example in examples
    ]
    return by_attention(torch.stack(draws).to(exists.device), exists)


def points_at(
    order: Int[Tensor, "batch patches"],
    exists: Bool[Tensor, "batch patches"],
    patch: Int[Tensor, " batch"],
    k: int,
    last: bool = False,
) -> Bool[Tensor, " batch"]:
    """Whether a patch is among the first k of an order, or among the last.

    Args:
        order: indices of the patches; those that do not exist come last.
        exists: false beyond an image's own patches.
        patch: the one that is asked for.
        k: how many count; all where an image has no more.
        last: whether to count from the end instead.
    """
    rank = (order == patch[:, None]).int().argmax(-1)
    count = exists.sum(-1)
    return (rank >= count - k) & (rank < count) if last else rank < k


def background(
    attention: Float[Tensor, "batch patches"],
    exists: Bool[Tensor, "batch patches"],
    patch: Int[Tensor, " batch"],
) -> Float[Tensor, " batch"]:
    """Mean attention on the other patches, which are of the same area."""
    others = exists.scatter(1, patch[:, None], False)
    return (attention * others).sum(-1) / others.sum(-1)


def enrichment(
    attention: Float[Tensor, "batch patches"],
    exists: Bool[Tensor, "batch patches"],
    patch: Int[Tensor, " batch"],
) -> Float[Tensor, " batch"]:
    """Region enrichment rho: attention on a patch by that on background of the same area.

    1 where the patch is attended to like any other.
    """
    return attention.gather(1, patch[:, None])[:, 0] / background(attention, exists, patch)

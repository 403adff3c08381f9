"""Where a latent step's slots stand: which part comes first, and at which position ids.

Position ids come from the plan and not from what is appended, so that an intervention which leaves
a part out moves nothing that follows, unless it says that what follows is to close up.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.trajectory import Latent
from latentlab.reasoning.visibility import Kind

Slots = tuple[
    Float[Tensor, "batch slots hidden"], Int[Tensor, "batch slots"], Int[Tensor, "batch slots"]
]
"""Embeddings, kinds and positions of what a step appends."""


def arrange(
    plan: LatentPlan, latent: Latent
) -> tuple[Float[Tensor, "batch slots hidden"], Int[Tensor, "batch slots"]] | None:
    """Put the parts of a latent into the plan's order.

    Returns:
        The slots' embeddings and their kinds, or None where no part is left, or nobody takes the
        step.
    """
    parts: list[tuple[Tensor, Tensor]] = []
    if latent.vision is not None:
        kinds = torch.full_like(latent.vision[..., 0], int(Kind.LATENT_VISION), dtype=torch.long)
        if latent.picks is not None:
            kinds = kinds.masked_fill(latent.picks < 0, int(Kind.PAD))
        parts.append((latent.vision, kinds))
    if latent.text is not None:
        kinds = torch.full_like(latent.text[:, :1], int(Kind.LATENT_TEXT), dtype=torch.long)
        parts.append((latent.text[:, None], kinds))
    if not parts or (latent.taken is not None and not bool(latent.taken.any())):
        return None
    if plan.part_order == "text_vision":
        parts.reverse()
    embeds, slots = zip(*parts, strict=True)
    kinds = torch.cat(slots, dim=1)
    if latent.taken is not None:
        kinds = kinds.masked_fill(~latent.taken[:, None], int(Kind.PAD))
    return torch.cat(embeds, dim=1), kinds


def placed(
    plan: LatentPlan, latent: Latent, n_patches: Int[Tensor, " batch"]
) -> tuple[Slots | None, Int[Tensor, " batch"]]:
    """What a step appends and where, and how many positions it takes up.

    Args:
        plan: what a step appends.
        latent: its content, after interventions.
        n_patches: how many patches each image has.

    Returns:
        The slots' embeddings, their kinds and their positions, counted from the step's first, or
        None where there are none; and how far the step moves what follows.
    """
    arranged, width = arrange(plan, latent), step_width(plan, n_patches)
    if arranged is None:
        closed = torch.full_like(width, int(plan.in_words))
        return None, closed if latent.closed else width
    embeds, kinds = arranged
    if latent.closed:
        places, width = closed_positions(kinds, plan.in_words)
    else:
        places = slot_positions(plan, kinds, width)
    return (embeds, kinds, places), width


def step_width(plan: LatentPlan, n_patches: Int[Tensor, " batch"]) -> Int[Tensor, " batch"]:
    """Positions that one step takes up: the plan's, whatever is appended in the end."""
    if plan.stride is not None:
        return torch.full_like(n_patches, plan.stride)
    vision = n_patches if plan.select == "all" else torch.full_like(n_patches, plan.k)
    return vision + int(plan.text)


def closed_positions(
    kinds: Int[Tensor, "batch slots"], in_words: bool
) -> tuple[Int[Tensor, "batch slots"], Int[Tensor, " batch"]]:
    """Place the slots of a step that closes up: one after the other, behind the token of words.

    Returns:
        Positions of the slots, counted from the step's first, and how many the step takes up.
    """
    count = (kinds != Kind.PAD).long().cumsum(-1) + int(in_words)
    return count - 1, count[:, -1]


def slot_positions(
    plan: LatentPlan, kinds: Int[Tensor, "batch slots"], width: Int[Tensor, " batch"]
) -> Int[Tensor, "batch slots"]:
    """Place the slots of a step, counted from its first position.

    Text stands where the plan has it, and patches in a row. Patches beyond the room that the
    plan's stride leaves share the last patch's position.
    """
    text_first = int(plan.part_order == "text_vision" and plan.text)
    room = (width - int(plan.text)).clamp(min=1)[:, None]
    rank = torch.minimum((kinds == Kind.LATENT_VISION).cumsum(-1), room).clamp(min=1)
    text = torch.zeros_like(width) if text_first else width - 1
    return torch.where(kinds == Kind.LATENT_TEXT, text[:, None], rank + (text_first - 1))

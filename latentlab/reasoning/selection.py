"""Which image patches a latent step re-inserts.

One function, no model: scores in, patch indices out. The rules follow IVT-LR (arXiv 2510.12603,
section 3.2: top-k of the attention summed over layers and heads) and the controls that the
literature matches it with.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latentlab.draws import example_generator
from latentlab.errors import UserError
from latentlab.reasoning.plan import LatentPlan


def check_patches(
    plan: LatentPlan,
    examples: Sequence[str],
    n_patches: Int[Tensor, " batch"],
    given: Int[Tensor, "batch steps k"] | None,
) -> None:
    """Refuse picks that the images cannot serve.

    Raises:
        UserError: k (times the steps, where patches are not used twice) exceeds an image's patches,
            an example has no image, or given picks are missing or outside of the image. The
            released code would silently pick used patches again.
    """
    if not plan.steps or not plan.has_vision:
        return
    picking = plan.select in ("attention", "random", "bottom")
    needed = (plan.k if plan.reuse else plan.k * plan.steps) if picking else 0
    for example, available in zip(examples, n_patches.tolist(), strict=True):
        if available == 0:
            raise UserError(
                f"{example} has no image, but the plan re-inserts image patches; set k=0"
            )
        if needed > available:
            times = "" if plan.reuse else f" x {plan.steps} steps"
            raise UserError(
                f"k={plan.k}{times} needs {needed} patches, but {example} has {available}; "
                "lower k or the steps, allow reuse, or enlarge the pictures (size=PIXELS in --data)"
            )
    if plan.select != "given":
        return
    if given is None or given.shape[1] < plan.steps or given.shape[2] != plan.k:
        raise UserError(
            f"the plan is given its picks, but the data gives none for {plan.steps} steps "
            f"at k={plan.k}; use a data set with traces, or another selection rule"
        )
    outside = (given >= n_patches[:, None, None]).flatten(1).any(-1).tolist()
    if any(outside):
        raise UserError(
            f"the picks given for {examples[outside.index(True)]} lie outside its image"
        )


def pick(
    plan: LatentPlan,
    scores: Float[Tensor, "batch patches"],
    available: Bool[Tensor, "batch patches"],
    n_patches: Int[Tensor, " batch"],
    examples: Sequence[str],
    seed: int,
    step: int,
    given: Int[Tensor, "batch steps k"] | None = None,
) -> Int[Tensor, "batch k"]:
    """Pick the patches of one step.

    Args:
        plan: says which rule, how many and in which order.
        scores: attention of the newest position on each patch, averaged over layers and heads.
        available: false on patches that do not exist or were used.
        n_patches: how many patches each image has.
        examples: identifiers; the random rule draws from each example's own stream.
        seed: seed of that stream.
        step: the latent step, from 0.
        given: the picks of every step, for plans that are given them.

    Returns:
        Indices within each image's patches, in the plan's order; -1 for a slot that is padding.
    """
    if plan.select == "all":
        order = torch.arange(scores.shape[1], device=scores.device)
        # Padding goes first, so that a step always ends in a slot that holds something.
        return torch.where(order < n_patches[:, None], order, -1).sort(dim=-1).values
    if plan.select == "given" and given is not None:
        return given[:, step]
    if plan.select == "random":
        width = scores.shape[1]
        streams = [example_generator(example, seed, "pick", step) for example in examples]
        draws = [torch.rand(width, generator=stream) for stream in streams]
        scores = torch.stack(draws).to(scores.device)
    elif plan.select == "bottom":
        scores = -scores
    scores = scores.masked_fill(~available, -torch.inf)
    if plan.pick_order == "published":
        # The order of an unsorted top-k depends on the row's length, so each image gets its own.
        lengths = n_patches.tolist()
        rows = [row[:n].topk(plan.k, sorted=False) for row, n in zip(scores, lengths, strict=True)]
        return torch.stack([row.indices for row in rows])
    picks = scores.topk(plan.k, dim=-1).indices
    return picks.sort(dim=-1).values if plan.pick_order == "spatial" else picks

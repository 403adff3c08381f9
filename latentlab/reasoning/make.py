"""How a step's latent is made: the newest hidden state, and the patches that its attention picks.

Nothing is run here. What is made passes through the interventions before the rollout appends it.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.backbones import Backbone
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.selection import pick
from latentlab.reasoning.trajectory import Latent, Trajectory


def make_latent(
    plan: LatentPlan,
    state: Trajectory,
    step: int,
    seed: int,
    placeholder: Float[Tensor, "1 hidden"] | None,
) -> Latent:
    """Make the latent of one step, and note which patches it uses up.

    Args:
        plan: what a step appends.
        state: the sequence so far.
        step: the step, from 0.
        seed: seed of random picks.
        placeholder: embedding of the placeholder token, for slots without content.
    """
    text = state.hidden if plan.has_text else None
    if text is not None and plan.gradient == "detached":
        text = text.detach()
    vision, picks = None, None
    if plan.has_vision:
        patches, batch = state.patches, state.batch
        scores, given = patch_scores(plan, state), batch.given_picks
        picks = pick(
            plan, scores, state.available, patches.count, batch.examples, seed, step, given
        )
        if not state.undivided:
            picks = torch.where(state.going_on[:, None], picks, -1)
        vision = patches.gather(picks)
        if not plan.reuse and plan.select != "all":
            used = torch.zeros_like(state.available).scatter(1, picks.clamp(min=0), True)
            state.available = state.available & ~used
    if plan.content == "placeholder" and placeholder is not None:
        text = None if text is None else placeholder.expand_as(text)
        vision = None if vision is None else placeholder[:, None].expand_as(vision)
    return Latent(text, vision, picks, taken=state.inside)


def patch_scores(plan: LatentPlan, state: Trajectory) -> Float[Tensor, "batch patches"]:
    """Attention of the newest position on each patch, averaged over layers and heads."""
    if plan.select not in ("attention", "bottom"):
        return torch.zeros_like(state.patches.exists, dtype=torch.float32)
    assert state.row is not None, "latent steps follow a prompt or another latent step, not text"
    row = state.row
    if plan.select_layers is not None:
        row = row[[state.layers.index(layer) for layer in plan.select_layers]]
    return row.mean(dim=(0, 2)).gather(1, state.patches.index)


def placeholder_of(backbone: Backbone, token: int | None) -> Float[Tensor, "1 hidden"] | None:
    """Embedding of the placeholder token; None where a model has none."""
    if token is None:
        return None
    return backbone.embed_tokens(torch.tensor([token], device=backbone.device))

"""Checks of gradients: against the family's own forward, and through latent steps.

With respect to the embedding table, the first layer and the vision tower, whatever of these a
checkpoint would train. What is differentiated is the log-probability of the likeliest token behind
an answer, so that gradients have come through the cache.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from latentlab.backbones import Backbone, Batch
from latentlab.check.forward import answer_ids, own_logits, path_logits
from latentlab.check.material import PLAN, Material, difference
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.unrolled import unroll
from latentlab.reasoning.visibility import Kind


def gradients(material: Material) -> float:
    """Gradients through prompt and answer, relative to the largest of them."""
    reasoner, batch = material.reasoner, material.singles()[0]
    ours = _gradient(reasoner.backbone, lambda: path_logits(reasoner, batch))
    theirs = _gradient(reasoner.backbone, lambda: own_logits(reasoner, batch))
    return difference(ours, theirs, least=0)


def through(material: Material) -> float:
    """Gradients through latent steps that let them pass, against a loop without a cache."""
    reasoner, batch = material.reasoner, material.singles()[0]
    rollout, ids = reasoner.rollout(PLAN.replace(gradient="through")), answer_ids(reasoner)

    def grown() -> Tensor:
        return rollout.extend(rollout(batch), ids, torch.full_like(ids, Kind.ANSWER))

    ours = _gradient(reasoner.backbone, grown)
    theirs = _gradient(reasoner.backbone, lambda: _recomputed(rollout, batch, ids))
    return difference(ours, theirs, least=0)


def _gradient(backbone: Backbone, run: Callable[[], Float[Tensor, "1 seq vocab"]]) -> Tensor:
    """All gradients behind the last position, one after the other."""
    model: Any = backbone.model
    parts = (model.get_input_embeddings(), backbone.layers[0], backbone.vision)
    weights = list({id(weight): weight for part in parts for weight in part.parameters()}.values())
    needed = [weight.requires_grad for weight in weights]
    try:
        for weight in weights:
            weight.requires_grad_(weight.is_floating_point())
        loss = run()[0, -1].log_softmax(-1).max()
        found = torch.autograd.grad(loss, weights, allow_unused=True)
    finally:
        for weight, need in zip(weights, needed, strict=True):
            weight.requires_grad_(need)
    whole = zip(found, weights, strict=True)
    return torch.cat([(torch.zeros_like(w) if g is None else g).flatten() for g, w in whole])


def _recomputed(
    rollout: Rollout, batch: Batch, ids: Int[Tensor, "1 tokens"]
) -> Float[Tensor, "1 seq vocab"]:
    """Logits of a rollout that is run from its first position whenever something is appended.

    What was picked and who sees whom is taken from the engine; what stands at the slots is not.
    """
    backbone = rollout.backbone
    state, whole = unroll(rollout, batch, ids[0].tolist())
    merged = backbone.merge(batch)
    patches = merged.embeds[batch.input_ids == backbone.image_token_id]

    def run(embeds: Float[Tensor, "1 part hidden"]) -> Float[Tensor, "1 part hidden"]:
        width = embeds.shape[1]
        more = (0, 0, 0, width - batch.input_ids.shape[1])
        part = dataclasses.replace(
            whole,
            embeds=embeds,
            positions=whole.positions[..., :width],
            kinds=whole.kinds[:, :width],
            mask=None if whole.mask is None else whole.mask[..., :width, :width],
            deep=None if merged.deep is None else nn.functional.pad(merged.deep, more),
        )
        return part.forward(backbone)[0]

    embeds = merged.embeds
    for latent in state.latents:
        assert latent.picks is not None, "the plan picks patches"
        embeds = torch.cat([embeds, patches[latent.picks], run(embeds)[:, -1:]], dim=1)
    return backbone.logits(run(torch.cat([embeds, backbone.embed_tokens(ids)], dim=1)))

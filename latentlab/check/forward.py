"""Checks against the family's own forward: logits, gradients, attention.

The own forward takes token ids and pixels, and attends as transformers' eager attention does. Ours
is the engine's prefill: images merged into embeddings, a mask of its own, a cache.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latentlab.backbones import Backbone, Batch, Masks
from latentlab.check.material import Material, difference, worst
from latentlab.reasoner import Reasoner
from latentlab.reasoning.unrolled import Unrolled, unroll


@torch.no_grad()
def image(material: Material) -> float:
    """Logits of all positions of prompts with pictures."""
    return _logits(material, material.singles())


@torch.no_grad()
def text(material: Material) -> float:
    """Logits of all positions of prompts without pictures."""
    return _logits(material, material.wordy())


def gradients(material: Material) -> float:
    """Gradients of an answer's log-probability, relative to the largest of them.

    With respect to the embedding table, the first layer and the vision tower.
    """
    backbone = material.reasoner.backbone
    model: Any = backbone.model
    first, seen = backbone.layers[0].parameters(), backbone.vision.parameters()
    weights = [*model.get_input_embeddings().parameters(), *first, *seen]
    weights = list({id(weight): weight for weight in weights}.values())
    needed = [weight.requires_grad for weight in weights]
    batch = material.singles()[0]
    try:
        for weight in weights:
            weight.requires_grad_(weight.is_floating_point())
        ours = _gradient(prompt_logits(material.reasoner, batch), weights)
        theirs = _gradient(own_output(backbone, batch).logits, weights)
    finally:
        for weight, need in zip(weights, needed, strict=True):
            weight.requires_grad_(need)
    return difference(ours, theirs, least=0)


@torch.no_grad()
def attention(material: Material) -> float:
    """Captured rows of the prompt's end and of each step against eager attention; their sums."""
    reasoner, rollout = material.reasoner, material.rollout()
    backbone, found = reasoner.backbone, []
    for batch in material.singles():
        state, unrolled = unroll(rollout, batch)
        own = own_output(backbone, batch, output_attentions=True).attentions
        again = _eager(backbone, unrolled)
        assert state.row is not None, "all layers are captured"
        rows = [*state.rows, state.row]
        for layer in range(backbone.n_layers):
            found.append(difference(rows[0][layer], own[layer][:, :, -1]))
            for step, row in enumerate(rows):
                newest = unrolled.newest(step)
                assert newest is not None, "every step appends something"
                width = row.shape[-1]
                found.append(difference(row[layer], again[layer][:, :, newest, :width]))
                found.append(difference(row[layer].sum(-1), torch.ones_like(row[layer, ..., 0])))
    return worst(found)


def prompt_logits(reasoner: Reasoner, batch: Batch) -> Float[Tensor, "batch seq vocab"]:
    """Logits of every position of prompts, by the engine."""
    with _states(reasoner.backbone) as kept:
        reasoner.rollout().prefill(batch)
    return reasoner.backbone.logits(kept[-1])


def own_output(backbone: Backbone, batch: Batch, **more: Any) -> Any:
    """What the family's own forward returns for unpadded prompts."""
    with backbone.eager():
        return backbone.model(**backbone.own_inputs(batch), **more)


def _logits(material: Material, batches: list[Batch]) -> float:
    reasoner = material.reasoner
    return worst(
        [
            difference(prompt_logits(reasoner, batch), own_output(reasoner.backbone, batch).logits)
            for batch in batches
        ]
    )


def _gradient(logits: Float[Tensor, "1 seq vocab"], weights: list[nn.Parameter]) -> Tensor:
    """All gradients of the likeliest token's log-probability, one after the other."""
    loss = logits[0, -1].log_softmax(-1).max()
    found = torch.autograd.grad(loss, weights, allow_unused=True)
    none = [torch.zeros_like(w) if g is None else g for g, w in zip(found, weights, strict=True)]
    return torch.cat([gradient.flatten() for gradient in none])


@contextmanager
def _states(backbone: Backbone) -> Iterator[list[Tensor]]:
    """Keep what the decoder returns in each pass."""
    kept: list[Tensor] = []

    def keep(module: nn.Module, args: Any, output: Any) -> None:
        kept.append(output.last_hidden_state)

    handle = backbone.decoder.register_forward_hook(keep)
    try:
        yield kept
    finally:
        handle.remove()


def _eager(backbone: Backbone, unrolled: Unrolled) -> Any:
    """Eager attention weights of every layer over a whole rollout, run again in one pass."""
    deep = {} if unrolled.deep is None else backbone.deep_inputs(unrolled.deep)
    with backbone.eager():
        return backbone.decoder(
            inputs_embeds=unrolled.embeds,
            position_ids=unrolled.positions,
            attention_mask=_additive(unrolled.masks(backbone), unrolled.embeds),
            use_cache=False,
            output_attentions=True,
            **deep,
        ).attentions


def _additive(mask: Masks, embeds: Float[Tensor, "batch seq hidden"]) -> Any:
    """A mask as eager attention takes it: added to the scores."""
    if isinstance(mask, dict):
        return {layers: _additive(one, embeds) for layers, one in mask.items()}
    if mask is None:
        length = embeds.shape[1]
        mask = torch.ones(length, length, dtype=torch.bool, device=embeds.device).tril()
        mask = mask.expand(len(embeds), 1, -1, -1)
    hidden = torch.finfo(embeds.dtype).min
    return torch.zeros_like(mask, dtype=embeds.dtype).masked_fill(~mask, hidden)

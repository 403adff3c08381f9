"""Checks against the family's own forward: logits and attention.

The own forward takes token ids and pixels, and attends as transformers' eager attention does. The
engine merges images into embeddings, makes masks and positions of its own, runs the prompt, and
puts an answer behind it over a cache.
"""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from latentlab.backbones import Backbone, Batch, Masks
from latentlab.check.material import CHOICES, PLAN, Material, difference, worst
from latentlab.reasoner import Reasoner
from latentlab.reasoning.unrolled import Unrolled, unroll
from latentlab.reasoning.visibility import Kind


@torch.no_grad()
def image(material: Material) -> float:
    """Logits of all positions of prompts with pictures and of answers to them."""
    return _logits(material, material.singles())


@torch.no_grad()
def text(material: Material) -> float:
    """Logits of all positions of prompts without pictures and of answers to them."""
    return _logits(material, material.wordy())


@torch.no_grad()
def attention(material: Material) -> float:
    """Captured rows of the prompt's end and of each step against eager attention; their sums."""
    reasoner, rollout = material.reasoner, material.rollout()
    backbone, found = reasoner.backbone, []
    for batch in material.singles():
        state, unrolled = unroll(rollout, batch)
        with backbone.eager():
            own = backbone.model(**backbone.own_inputs(batch), output_attentions=True).attentions
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


def _logits(material: Material, batches: list[Batch]) -> float:
    reasoner = material.reasoner
    return worst(
        [difference(path_logits(reasoner, one), own_logits(reasoner, one)) for one in batches]
    )


def path_logits(reasoner: Reasoner, batch: Batch) -> Float[Tensor, "1 seq vocab"]:
    """Logits of a prompt and an answer, by the engine."""
    rollout, ids = reasoner.rollout(PLAN.replace(steps=0)), answer_ids(reasoner)
    with _states(reasoner.backbone) as kept:
        state = rollout.prefill(batch)
    prompt = reasoner.backbone.logits(kept[0][:, :-1])
    return torch.cat([prompt, rollout.extend(state, ids, torch.full_like(ids, Kind.ANSWER))], dim=1)


def own_logits(reasoner: Reasoner, batch: Batch) -> Float[Tensor, "1 seq vocab"]:
    """The same by the family's own forward, all at once."""
    backbone, ids = reasoner.backbone, answer_ids(reasoner)
    longer = dataclasses.replace(
        batch,
        input_ids=torch.cat([batch.input_ids, ids], dim=1),
        attention_mask=torch.cat([batch.attention_mask, torch.ones_like(ids).bool()], dim=1),
    )
    with backbone.eager():
        logits: Tensor = backbone.model(**backbone.own_inputs(longer)).logits
    return logits


def answer_ids(reasoner: Reasoner) -> Int[Tensor, "1 tokens"]:
    """Token ids of the answer marker and an answer."""
    prompter = reasoner.prompter
    ids = [*prompter.marker_ids, *prompter.answer_ids(CHOICES[0])]
    return torch.tensor([ids], device=reasoner.backbone.device)


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

"""The two sides of the benchmark: the engine, and a loop that does what the released code does.

The loop is written here after the released inference code of IVT-LR (arXiv 2510.12603). At each
latent step it runs the whole sequence again, with eager attention that returns every layer's
matrix, averages all of them, and computes the logits of all positions. After the latent steps it
runs the sequence for the first token, runs it once more to fill a cache, and goes on from that.
Like the released code it embeds a picture once; unlike it, it also takes batches.
"""

import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from latentlab.backbones import Batch
from latentlab.reasoner import Reasoner
from latentlab.reasoning.visibility import Kind


@dataclass(frozen=True)
class Outcome:
    """What a run found, and what it cost."""

    picks: Tensor
    """(batch, steps, k) picked patches."""

    logits: Tensor
    """(batch, tokens, vocab) next-token logits of the answer."""

    latent_seconds: float
    """Processor time up to the first token's logits."""

    seconds: float
    """Processor time of all."""


def engine(reasoner: Reasoner, batch: Batch, tokens: int) -> Outcome:
    """Answer with the engine."""
    started = time.process_time()
    rollout = reasoner.rollout()
    state = rollout(batch)
    logits = [reasoner.backbone.logits(state.hidden)]
    latent = time.process_time() - started
    while len(logits) < tokens:
        ids = logits[-1].argmax(-1, keepdim=True)
        logits.append(rollout.extend(state, ids, torch.full_like(ids, int(Kind.ANSWER)))[:, -1])
    seconds = time.process_time() - started
    assert state.picks is not None
    return Outcome(state.picks, torch.stack(logits, 1), latent, seconds)


def recomputing(reasoner: Reasoner, model: Any, batch: Batch, tokens: int) -> Outcome:
    """Answer as the released code does; `model` has the same weights and eager attention."""
    started = time.process_time()
    plan, decoder = reasoner.plan, model.model.language_model

    def run(embeds: Tensor, cache: Any = None, **outputs: bool) -> tuple[Any, Tensor]:
        past = 0 if cache is None else cache.get_seq_length()
        positions = torch.arange(past, past + embeds.shape[1]).expand(len(embeds), -1)
        seen = torch.ones(len(embeds), past + embeds.shape[1])
        output = decoder(
            inputs_embeds=embeds,
            attention_mask=seen,
            position_ids=positions,
            past_key_values=cache,
            output_hidden_states=True,
            **outputs,
        )
        return output, model.lm_head(output.last_hidden_state)

    embeds = reasoner.backbone.embed(batch)
    where = (batch.input_ids == reasoner.backbone.image_token_id).nonzero()[:, 1]
    patches = where.view(len(embeds), -1)
    original = embeds.gather(1, patches[..., None].expand(-1, -1, embeds.shape[-1]))
    free = torch.ones_like(patches, dtype=torch.bool)
    picks = []
    for _ in range(plan.steps):
        output, _ = run(embeds, output_attentions=True, use_cache=True)
        average = torch.cat(output.attentions, dim=1).mean(dim=1)
        scores = average[:, -1].gather(1, patches).masked_fill(~free, -torch.inf)
        picked = scores.topk(plan.k).indices
        free = free.scatter(1, picked, False)
        vision = original.gather(1, picked[..., None].expand(-1, -1, embeds.shape[-1]))
        embeds = torch.cat([embeds, vision, output.last_hidden_state[:, -1:]], dim=1)
        picks.append(picked)
    logits = [run(embeds, use_cache=True)[1][:, -1]]
    latent = time.process_time() - started
    cache, new = None, embeds
    while len(logits) < tokens:
        token = model.get_input_embeddings()(logits[-1].argmax(-1, keepdim=True))
        new = torch.cat([new, token], dim=1) if cache is None else token
        output, all_logits = run(new, cache, use_cache=True)
        cache = output.past_key_values
        logits.append(all_logits[:, -1])
    seconds = time.process_time() - started
    return Outcome(torch.stack(picks, 1), torch.stack(logits, 1), latent, seconds)

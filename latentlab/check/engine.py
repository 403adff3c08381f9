"""Checks of the engine against itself: the same rollout, arrived at in another way."""

import dataclasses

import torch

from latentlab.backbones import Batch
from latentlab.check.material import Material, difference, keys_and_values, worst
from latentlab.reasoner import Reasoner
from latentlab.reasoning.decode import append_text
from latentlab.reasoning.trajectory import Trajectory
from latentlab.reasoning.unrolled import unroll

PADDING = 3
"""Positions that a prompt is padded by."""


@torch.no_grad()
def cached(material: Material) -> float:
    """Logits, keys and values of a rollout, against all its positions run in one pass."""
    reasoner = material.reasoner
    backbone = reasoner.backbone
    state, unrolled = unroll(material.rollout(), material.batch(), reasoner.prompter.marker_ids)
    hidden, cache = unrolled.forward(backbone)
    found = [difference(backbone.logits(state.hidden), backbone.logits(hidden[:, -1]))]
    pairs = zip(keys_and_values(state.cache), keys_and_values(cache), strict=True)
    return worst([*found, *(difference(kept, anew) for kept, anew in pairs)])


@torch.no_grad()
def batched(material: Material) -> float:
    """Logits and picks of examples in one padded batch, against one by one."""
    together = _run(material.reasoner, material.batch())
    alone = [_run(material.reasoner, batch) for batch in material.singles()]
    return worst([_apart(material, together, i, state) for i, state in enumerate(alone)])


@torch.no_grad()
def padded(material: Material) -> float:
    """Logits and picks of prompts padded further than they need, against unpadded ones."""
    reasoner, found = material.reasoner, []
    for batch in material.singles():
        ids = batch.input_ids.new_full((1, PADDING), reasoner.prompter.pad_id)
        wider = dataclasses.replace(
            batch,
            input_ids=torch.cat([ids, batch.input_ids], dim=1),
            attention_mask=torch.cat([ids.bool() & False, batch.attention_mask], dim=1),
        )
        found.append(_apart(material, _run(reasoner, wider), 0, _run(reasoner, batch)))
    return worst(found)


def _run(reasoner: Reasoner, batch: Batch) -> Trajectory:
    """Take the latent steps and append the answer marker."""
    rollout = reasoner.rollout()
    state = rollout(batch)
    append_text(rollout, state, reasoner.prompter.marker_ids)
    return state


def _apart(material: Material, together: Trajectory, row: int, alone: Trajectory) -> float:
    """How far a row is from an example run alone; other picks are infinitely far."""
    assert together.picks is not None and alone.picks is not None, "the plan picks patches"
    if not torch.equal(together.picks[row], alone.picks[0]):
        return torch.inf
    logits = material.reasoner.backbone.logits
    return difference(logits(together.hidden[row]), logits(alone.hidden[0]))

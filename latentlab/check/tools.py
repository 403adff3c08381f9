"""Checks that TransformerLens and nnsight see and edit the very computation that the engine runs.

One patch is made with three tools: the stream after the first layer is set to zero at the first
latent step. Plain hooks say what must come out.
"""

from typing import Any

import torch

from latentlab.adapters.nnsight import trace_rollouts
from latentlab.adapters.transformer_lens import bridged
from latentlab.check.material import Material, states_of, worst
from latentlab.reasoning.activations import Site, patched
from latentlab.reasoning.trajectory import Trajectory

SITE = Site(1, 0)
"""Where the patch is: pass 1 is the first latent step."""


@torch.no_grad()
def transformer_lens(material: Material) -> float:
    """States of a rollout through a bridge, plain and patched, against the engine's."""
    batch, bridge = material.batch(), bridged(material.reasoner)
    rollout = bridge.reasoner.rollout()
    plain = _apart(rollout(batch), _expected(material, patch=False))

    def zero(stream: Any, hook: Any) -> Any:
        if rollout.pass_index == SITE.pass_index:
            stream[:, SITE.position] = 0
        return stream

    with bridge.hooks([(f"blocks.{SITE.layer}.hook_resid_post", zero)]):
        state = rollout(batch)
    return worst([plain, _apart(state, _expected(material, patch=True))])


@torch.no_grad()
def nnsight(material: Material) -> float:
    """States of a rollout in a trace, plain and patched, against the engine's."""
    batch, traced = material.batch(), trace_rollouts(material.reasoner)
    with traced.rollout(batch) as tracer:
        left = tracer.result.save()
    plain = _apart(left, _expected(material, patch=False))
    with traced.rollout(batch) as tracer:
        for _step in tracer.iter[SITE.pass_index]:
            traced.resid_post(SITE.layer)[:, SITE.position] = 0
        state = tracer.result.save()
    return worst([plain, _apart(state, _expected(material, patch=True))])


def _expected(material: Material, patch: bool) -> Trajectory:
    """What the engine computes, with the patch made by hooks."""
    rollout, batch = material.reasoner.rollout(), material.batch()
    state = rollout(batch)
    if not patch:
        return state
    with patched(rollout, {SITE: torch.zeros_like(state.hidden)}):
        edited = rollout(batch)
    assert not torch.equal(edited.hidden, state.hidden), "the patch shows"
    return edited


def _apart(state: Trajectory, expected: Trajectory) -> float:
    """How far the newest hidden states and all keys and values are apart."""
    pairs = zip(states_of(state), states_of(expected), strict=True)
    return worst([float((ours - theirs).abs().max()) for ours, theirs in pairs])

"""One patch, three tools, one answer: plain hooks, TransformerLens and nnsight agree to the bit.

The residual stream after one layer is set to a donor's vector in one pass of a cached rollout; what
comes of it is read off behind the answer marker.
"""

import pytest
import torch

from latentlab.adapters.nnsight import trace_rollouts
from latentlab.adapters.transformer_lens import bridged
from latentlab.reasoning.activations import Site, patched, record
from latentlab.reasoning.decode import append_text


@pytest.fixture(scope="module")
def bridge(planned):
    return bridged(planned)


@pytest.fixture(scope="module")
def traced(planned):
    return trace_rollouts(planned)


@pytest.fixture
def plain(planned, batch):
    """What happens undisturbed: the state behind the marker, and every site's vector."""
    rollout = planned.rollout()
    with torch.no_grad(), record(rollout) as kept:
        state = rollout(batch)
        append_text(rollout, state, planned.prompter.marker_ids)
    return state, kept


def by_hooks(planned, batch, site, vector):
    rollout = planned.rollout()
    with patched(rollout, {site: vector}):
        state = rollout(batch)
        append_text(rollout, state, planned.prompter.marker_ids)
    return state


def by_transformer_lens(bridge, batch, site, vector):
    reasoner = bridge.reasoner
    rollout = reasoner.rollout()

    def patch(resid, hook):
        if rollout.pass_index == site.pass_index:
            resid[:, site.position] = vector
        return resid

    with bridge.hooks([(f"blocks.{site.layer}.hook_resid_post", patch)]):
        state = rollout(batch)
        append_text(rollout, state, reasoner.prompter.marker_ids)
    return state


def by_nnsight(traced, batch, site, vector):
    marker = traced.reasoner.prompter.marker_ids
    with traced.rollout(batch, text=marker) as tracer:
        for _step in tracer.iter[site.pass_index]:
            traced.resid_post(site.layer)[:, site.position] = vector
        state = tracer.result.save()
    return state


@pytest.fixture
def everyone(planned, bridge, traced, batch):
    """Run a patch through all three; returns the states behind the marker."""

    def run(site, vector):
        return [
            by_hooks(planned, batch, site, vector),
            by_transformer_lens(bridge, batch, site, vector),
            by_nnsight(traced, batch, site, vector),
        ]

    return run


@torch.no_grad()
@pytest.mark.parametrize("site", [Site(0, 0), Site(1, 1), Site(2, 0)], ids=str)
def test_a_donors_vector_gives_the_same_answer_to_the_bit(planned, everyone, plain, site):
    state, kept = plain
    donor = kept[site].roll(1, dims=0)
    hooks, lens, sight = everyone(site, donor)
    assert torch.equal(hooks.hidden, lens.hidden)
    assert torch.equal(hooks.hidden, sight.hidden)
    logits = [planned.backbone.logits(one.hidden) for one in (hooks, lens, sight)]
    assert torch.equal(logits[0], logits[1])
    assert torch.equal(logits[0], logits[2])
    for one in (lens, sight):
        for layer, kept_layer in zip(hooks.cache.layers, one.cache.layers, strict=True):
            assert torch.equal(layer.keys, kept_layer.keys)
            assert torch.equal(layer.values, kept_layer.values)
    assert not torch.equal(hooks.hidden, state.hidden)


@torch.no_grad()
def test_an_examples_own_vector_changes_nothing(everyone, plain):
    state, kept = plain
    for one in everyone(Site(1, 0), kept[Site(1, 0)]):
        assert torch.equal(one.hidden, state.hidden)


@torch.no_grad()
def test_zeros_change_the_logits(planned, everyone, plain):
    state, kept = plain
    before = planned.backbone.logits(state.hidden)
    for one in everyone(Site(1, 0), torch.zeros_like(kept[Site(1, 0)])):
        assert not torch.allclose(planned.backbone.logits(one.hidden), before, atol=1e-4)

"""A bridge on a copy runs the engine to the bit, and its names hold what the engine computed."""

import copy

import pytest
import torch

from latentlab.adapters.transformer_lens import Bridged, attention_with_pattern, bridged
from latentlab.backbones.attention import attention
from latentlab.errors import UserError
from latentlab.reasoning.activations import Site, record
from latentlab.reasoning.decode import append_text
from latentlab.reasoning.visibility import Kind

LAYERS = range(2)


@pytest.fixture(scope="module")
def bridge(planned) -> Bridged:
    return bridged(planned)


@pytest.fixture
def run(planned, batch):
    """The engine's state after the answer marker, with all rows of attention on the way."""
    rollout = planned.rollout(capture_layers=LAYERS)
    with torch.no_grad():
        state = rollout(batch)
        append_text(rollout, state, planned.prompter.marker_ids)
    return state


def test_the_model_itself_is_not_touched(planned, batch):
    keys = list(planned.backbone.model.state_dict())
    before = planned.rollout()(batch).hidden
    made = bridged(planned)
    assert list(planned.backbone.model.state_dict()) == keys
    assert list(made.reasoner.backbone.model.state_dict()) != keys
    assert planned.prompter.backbone is planned.backbone
    assert torch.equal(planned.rollout()(batch).hidden, before)


@torch.no_grad()
def test_the_engine_runs_on_the_copy_to_the_bit(planned, bridge, batch, examples):
    ours, theirs = (r.rollout(capture_layers=LAYERS)(batch) for r in (planned, bridge.reasoner))
    assert torch.equal(ours.hidden, theirs.hidden)
    assert all(torch.equal(a, b) for a, b in zip(ours.rows, theirs.rows, strict=True))
    rollout = planned.rollout()
    answers = planned.decode(rollout, ours, examples, at_once=True)
    again = bridge.reasoner.decode(bridge.reasoner.rollout(), theirs, examples, at_once=True)
    assert [a.option_logprobs for a in answers] == [a.option_logprobs for a in again]


@torch.no_grad()
def test_a_cache_over_the_grown_sequence_holds_what_the_engine_computed(
    planned, bridge, batch, run, examples
):
    rollout = planned.rollout()
    with record(rollout, components=("resid_post", "attn_out", "mlp_out")) as kept:
        rollout(batch)
    logits, cache, unrolled = bridge.run_with_cache(examples)
    close = {"atol": 1e-5, "rtol": 1e-5}
    torch.testing.assert_close(logits[:, -1], planned.backbone.logits(run.hidden), **close)
    names = {"resid_post": "hook_out", "attn_out": "hook_attn_out", "mlp_out": "hook_mlp_out"}
    for pass_index in range(planned.plan.steps + 1):
        index = unrolled.newest(pass_index)
        for layer in LAYERS:
            for component, name in names.items():
                expected = kept[Site(pass_index, layer, component)]
                found = cache[f"blocks.{layer}.{name}"][:, index]
                torch.testing.assert_close(found, expected, **close)


@torch.no_grad()
def test_patterns_are_the_captured_rows(planned, bridge, run, examples):
    names = [f"blocks.{layer}.attn.hook_pattern" for layer in LAYERS]
    _, cache, unrolled = bridge.run_with_cache(examples, names_filter=names)
    assert set(cache.keys()) == set(names)
    real = unrolled.kinds != Kind.PAD
    for layer in LAYERS:
        pattern = cache["pattern", layer]
        sums = pattern.sum(-1).transpose(1, 2)[real]
        torch.testing.assert_close(sums, torch.ones_like(sums), atol=1e-5, rtol=0)
        for step, row in enumerate(run.rows):
            query = unrolled.newest(step)
            found = pattern[:, :, query, : query + 1]
            torch.testing.assert_close(found, row[layer], atol=1e-5, rtol=0)
            assert (pattern[:, :, query, query + 1 :] == 0).all()


@torch.no_grad()
def test_hooks_fire_in_every_pass_and_go(bridge, batch):
    rollout = bridge.reasoner.rollout()
    before, passes = rollout(batch).hidden, []
    with bridge.hooks(
        [("blocks.1.hook_out", lambda value, hook: passes.append(rollout.pass_index))]
    ):
        assert torch.equal(rollout(batch).hidden, before)
    assert passes == [0, 1, 2]
    rollout(batch)
    assert len(passes) == 3


@torch.no_grad()
def test_an_edited_pattern_reaches_the_output(planned, bridge, batch):
    """The edit of one step is attention with those weights, worked out by hand."""
    rollout, seen = bridge.reasoner.rollout(), {}

    def uniform(pattern, hook):
        if rollout.pass_index != 1:
            return None
        return torch.full_like(pattern, 1 / pattern.shape[-1])

    def keep(value, hook):
        if rollout.pass_index == 1:
            seen["out"] = value.clone()

    with bridge.hooks([("blocks.0.attn.hook_pattern", uniform), ("blocks.0.hook_attn_out", keep)]):
        edited = rollout(batch)
    values = edited.cache.layers[0].values[:, :, : edited.kinds.shape[1]]
    plain = planned.rollout()(batch)
    assert not torch.equal(edited.hidden, plain.hidden)
    width = batch.input_ids.shape[1] + int((edited.kinds[0] > Kind.PROMPT).sum()) // 2
    mean = values[:, :, :width].mean(2)
    heads = planned.backbone.n_heads
    mean = mean.repeat_interleave(heads // mean.shape[1], dim=1).flatten(1)
    project = planned.backbone.component(0, "attn_out").o_proj
    torch.testing.assert_close(seen["out"][:, -1], project(mean), atol=1e-5, rtol=1e-4)
    # Writing into the value works as well, and doing nothing changes nothing.
    with bridge.hooks([("blocks.0.attn.hook_pattern", lambda pattern, hook: pattern)]):
        assert torch.equal(rollout(batch).hidden, plain.hidden)
    with bridge.hooks([("blocks.0.attn.hook_pattern", lambda pattern, hook: pattern.zero_())]):
        assert not torch.equal(rollout(batch).hidden, plain.hidden)


def test_the_kernel_gives_the_engines_output_and_the_weights():
    generator = torch.Generator().manual_seed(0)
    query = torch.randn(2, 4, 3, 8, generator=generator)
    key, value = torch.randn(2, 2, 2, 7, 8, generator=generator)
    causal = torch.ones(3, 7).tril(4).bool().expand(2, 1, -1, -1)
    layer = torch.nn.Module()
    for mask, q in ((causal, query), (None, query[:, :, :1])):
        expected, _ = attention(layer, q, key, value, mask, 0.3)
        output, pattern = attention_with_pattern(layer, q, key, value, mask, 0.3)
        assert torch.equal(output, expected)
        mixed = pattern @ value.repeat_interleave(2, dim=1)
        torch.testing.assert_close(mixed.transpose(1, 2), expected, atol=1e-5, rtol=1e-5)


def test_a_family_without_a_bridge_is_refused(planned):
    class Unknown(torch.nn.Module):
        pass

    other = copy.copy(planned)
    other.backbone = copy.copy(planned.backbone)
    other.backbone.model = Unknown()
    with pytest.raises(UserError, match="no TransformerLens bridge for Unknown; known: Chameleon"):
        bridged(other)

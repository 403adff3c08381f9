"""Readings are what the formulas say, and the parts of a logit sum to it."""

import math

import pytest
import torch
from transformers import DynamicCache

from latentlab.backbones import Backbone, Capture, ChameleonBackbone
from latentlab.errors import UserError
from latentlab.lens.logit_attribution import attribute
from latentlab.lens.logit_lens import final_norm, lens_logits, nearest_tokens, padded_targets, read
from latentlab.reasoning.activations import Site, record
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.unrolled import Unrolled, unroll
from latentlab.reasoning.visibility import Kind
from tests.tiny.families import TINY, VARIANTS

MARKER = [3, 5]
TOKENS = torch.tensor([[9, 10, 11], [11, 12, 9], [8, 13, 10]])
MODELS = TINY | VARIANTS
PLANS = {
    "open": LatentPlan(steps=2, k=2),
    "blocked": LatentPlan(steps=2, k=2, blocked=(("answer", "latent"), ("answer", "prompt"))),
    "no latent steps": LatentPlan(steps=0, k=0),
}


def test_a_reading_is_rank_probability_and_entropy():
    scores = torch.tensor([[1.0, 3.0, 2.0, 0.0], [0.0, 0.0, 5.0, 5.0]])
    targets = padded_targets([[[2], [0, 3], []], [[0], [3], [1]]], scores.device)
    assert targets.tolist() == [[[2, -1], [0, 3], [-1, -1]], [[0, -1], [3, -1], [1, -1]]]
    found = read(scores, targets)
    assert found.rank[0, :2].tolist() == [2, 3]
    assert found.rank[1].tolist() == [3, 1, 3]
    assert math.isnan(found.rank[0, 2])
    assert math.isnan(found.logprob[0, 2])
    weights = [math.exp(x) for x in (1, 3, 2, 0)]
    p = [w / sum(weights) for w in weights]
    assert found.logprob[0, 0].item() == pytest.approx(math.log(p[2]), abs=1e-6)
    assert found.logprob[0, 1].item() == pytest.approx(math.log(p[0] + p[3]), abs=1e-6)
    assert found.entropy[0].item() == pytest.approx(-sum(x * math.log(x) for x in p), abs=1e-6)
    assert found.top[0] == 1


def test_scores_without_probabilities_have_ranks_only():
    found = read(torch.tensor([[0.2, 0.9]]), torch.tensor([[[0]]]), probabilities=False)
    assert found.rank.item() == 2
    assert math.isnan(found.logprob.item())
    assert math.isnan(found.entropy.item())


@torch.no_grad()
def test_the_lens_after_the_last_layer_is_the_model_itself(reasoner, examples):
    rollout = reasoner.rollout()
    state, unrolled = unroll(rollout, reasoner.prompter.batch(examples, reasoner.plan), MARKER)
    with record(rollout) as kept:
        unrolled.forward(reasoner.backbone)
    last = kept[Site(rollout.pass_index, reasoner.backbone.n_layers - 1)]
    expected = reasoner.backbone.logits(state.hidden)
    torch.testing.assert_close(lens_logits(reasoner.backbone, last), expected, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_a_token_embedding_is_nearest_to_itself(reasoner):
    tokens = torch.tensor([3, 9, 12])
    cosines = nearest_tokens(reasoner.backbone, 7 * reasoner.backbone.embed_tokens(tokens))
    assert cosines.argmax(-1).tolist() == tokens.tolist()
    torch.testing.assert_close(cosines.amax(-1), torch.ones(3))


def differences(logits: torch.Tensor) -> torch.Tensor:
    return logits[..., 0] - logits[..., 1:].mean(-1)


@torch.no_grad()
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_parts_sum_to_the_logits(reasoner, examples, plan):
    rollout = reasoner.rollout(plan)
    state, unrolled = unroll(rollout, reasoner.prompter.batch(examples, plan), MARKER)
    found = attribute(rollout, unrolled, TOKENS)
    assert len(found.parts) == len(set(found.parts)) == len(found.shares)
    expected = reasoner.backbone.logits(state.hidden).gather(1, TOKENS)
    torch.testing.assert_close(found.total, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found.shares.sum(0), expected, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(
        differences(found.shares.sum(0)), differences(expected), atol=1e-4, rtol=1e-3
    )


@torch.no_grad()
@pytest.mark.parametrize("family", MODELS)
def test_parts_sum_in_every_family(family, examples):
    reasoner = MODELS[family]()
    rollout, plan = reasoner.rollout(), reasoner.plan
    state, unrolled = unroll(rollout, reasoner.prompter.batch(examples, plan), MARKER)
    found = attribute(rollout, unrolled, TOKENS)
    expected = reasoner.backbone.logits(state.hidden).gather(1, TOKENS)
    torch.testing.assert_close(found.shares.sum(0), expected, atol=1e-4, rtol=1e-3)


@torch.no_grad()
def test_shares_of_attention_are_its_output_split_by_source(reasoner, examples):
    """By hand for one example: weights x values, head by head, through the output projection."""
    backbone, rollout = reasoner.backbone, reasoner.rollout()
    _, unrolled = unroll(rollout, reasoner.prompter.batch(examples, reasoner.plan), MARKER)
    found = attribute(rollout, unrolled, TOKENS)
    capture = Capture()
    with record(rollout, components=("resid_post", "attn_out")) as kept:
        _, cache = unrolled.forward(backbone, capture)
    stream = kept[Site(rollout.pass_index, backbone.n_layers - 1)][1]
    norm = final_norm(backbone)
    scale = norm.weight / (stream.square().mean() + norm.variance_epsilon).sqrt()
    direction = scale * backbone.model.get_output_embeddings().weight[TOKENS[1, 0]]
    for layer in range(backbone.n_layers):
        row, values = capture.rows[layer][1], cache.layers[layer].values[1]
        weight = backbone.component(layer, "attn_out").o_proj.weight
        heads, dim = len(row), values.shape[-1]
        parts = {part: i for i, part in enumerate(found.parts) if part.layer == layer}
        total = 0.0
        for part, index in parts.items():
            if part.component != "attn_out":
                continue
            where = unrolled.kinds[1] == Kind[part.source.upper()]
            if part.step is not None:
                where = where & (unrolled.pass_index == part.step)
            mixed = torch.zeros(heads, dim)
            for head in range(heads):
                own = values[head // (heads // len(values))]
                for key in where.nonzero()[:, 0].tolist():
                    mixed[head] += row[head, key] * own[key]
            share = (weight @ mixed.flatten()) @ direction
            torch.testing.assert_close(found.shares[index, 1, 0], share, atol=1e-5, rtol=1e-4)
            total += share
        whole = kept[Site(rollout.pass_index, layer, "attn_out")][1] @ direction
        torch.testing.assert_close(total, whole, atol=1e-5, rtol=1e-4)
    sources = {(part.source, part.step) for part in found.parts if part.source}
    steps = {(kind, step) for kind in ("latent_text", "latent_vision") for step in (1, 2)}
    assert sources == steps | {("image", None), ("prompt", None), ("answer", None)}


@torch.no_grad()
def test_what_cannot_be_seen_adds_exactly_nothing(reasoner, examples):
    plan = PLANS["blocked"]
    rollout = reasoner.rollout(plan)
    _, unrolled = unroll(rollout, reasoner.prompter.batch(examples, plan), MARKER)
    found = attribute(rollout, unrolled, TOKENS)
    for part, share in zip(found.parts, found.shares, strict=True):
        hidden = part.source in ("latent_text", "latent_vision", "prompt")
        assert bool((share == 0).all()) == hidden, part


@torch.no_grad()
def test_layers_that_do_more_than_is_said_of_them_are_refused(examples, monkeypatch):
    """As if nobody had said that this model norms what attention and MLP add."""
    reasoner = VARIANTS["chameleon 30B"]()
    for name in ("component", "attention_norm"):
        monkeypatch.setattr(ChameleonBackbone, name, getattr(Backbone, name))
    rollout = reasoner.rollout(LatentPlan(steps=0))
    _, unrolled = unroll(rollout, reasoner.prompter.batch(examples, rollout.plan), MARKER)
    with pytest.raises(UserError, match="is not the sum"):
        attribute(rollout, unrolled, TOKENS)


@torch.no_grad()
def test_the_grown_sequence_is_read_at_its_last_position(qwen):
    """A sequence is all that attribution needs, whoever made it."""
    embeds = torch.randn(3, 4, 32)
    kinds = torch.full((3, 4), int(Kind.PROMPT))
    positions = torch.arange(4).expand(3, -1)
    unrolled = Unrolled(embeds, positions, kinds, torch.zeros(4, dtype=torch.long), None)
    found = attribute(qwen.rollout(), unrolled, TOKENS)
    hidden = qwen.backbone.forward(embeds, positions, None, DynamicCache())
    expected = qwen.backbone.logits(hidden[:, -1]).gather(1, TOKENS)
    torch.testing.assert_close(found.shares.sum(0), expected, atol=1e-4, rtol=1e-3)

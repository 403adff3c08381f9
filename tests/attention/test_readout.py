"""The answer-to-latent readout against transformers' own eager attention, and its gradient against
finite differences."""

import copy
import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import AttentionInterface

from latentlab.attention.config import AttentionConfig
from latentlab.attention.modes import with_plan
from latentlab.attention.readout import answer_pass, readout_rows
from latentlab.backbones.attention import ATTENTION_NAME, attention, differentiable
from latentlab.data import load_data
from latentlab.measures.outcomes import log_odds
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.unrolled import unroll
from latentlab.reasoning.visibility import GROUPS, Kind
from latentlab.training.recipes import PLANS

CONFIG = AttentionConfig(model=("tiny",), explicit=())


def ran(reasoner, examples):
    """A model's rollout on examples, ready for its answers."""
    rollout = reasoner.rollout()
    with torch.no_grad():
        state = rollout(reasoner.prompter.batch(examples, reasoner.plan))
    return rollout, state


def unrolled(reasoner, example):
    """Every layer's pattern up to the answer, by transformers' eager attention over all positions.

    Returns:
        Patterns averaged over heads, the kinds of all positions, who sees whom, and how many tokens
        follow the latents.
    """
    prompter, backbone = reasoner.prompter, reasoner.backbone
    texts = prompter.format.answer_texts(example.choices)
    answer = texts[example.choices.index(example.answer)]
    tokens = [*prompter.marker_ids, *prompter.answer_ids(answer)]
    batch = prompter.batch([example], reasoner.plan)
    _, unrolled = unroll(reasoner.rollout(), batch, tokens)
    seq = unrolled.embeds.shape[1]
    causal = torch.ones(seq, seq).tril().bool()
    allowed = causal if unrolled.mask is None else unrolled.mask[0, 0]
    added = torch.zeros(1, 1, seq, seq).masked_fill(~allowed, torch.finfo(torch.float32).min)
    backbone._set_attention("eager")
    try:
        with torch.no_grad():
            output = backbone.decoder(
                inputs_embeds=unrolled.embeds,
                position_ids=unrolled.positions,
                attention_mask=added,
                output_attentions=True,
                use_cache=False,
            )
    finally:
        backbone._set_attention(ATTENTION_NAME)
    return (
        [layer[0].mean(0) for layer in output.attentions],
        unrolled.kinds[0],
        allowed,
        len(tokens),
    )


@pytest.mark.parametrize(
    "plan",
    [
        LatentPlan(steps=2, k=2),
        LatentPlan(steps=2, k=1, blocked=(("answer", "image"), ("answer", "latent_text"))),
    ],
    ids=["open", "blocked"],
)
def test_masses_are_those_of_eager_attention_over_the_unrolled_sequence(reasoner, examples, plan):
    model = with_plan(reasoner, plan)
    rows = readout_rows(CONFIG, model, examples).set_index(["example", "layers"])
    for example in examples:
        patterns, kinds, allowed, new = unrolled(model, example)
        # The end token is fed last and asks for nothing.
        queries = slice(len(kinds) - new, len(kinds) - 1)
        for part, group in GROUPS.items():
            if not part.startswith("latent"):
                continue
            keys = torch.isin(kinds, torch.tensor([int(kind) for kind in group]))
            by_layer = [float(p[queries][:, keys].sum(-1).mean()) for p in patterns]
            seen = allowed[queries].float()
            uniform = float((seen[:, keys].sum(-1) / seen.sum(-1)).mean())
            for layer, expected in enumerate(by_layer):
                row = rows.loc[(example.id, str(layer))]
                assert row[f"answer_mass:{part}"] == pytest.approx(expected, abs=1e-5)
                assert row[f"answer_uniform:{part}"] == pytest.approx(uniform, abs=1e-6)
            whole = rows.loc[(example.id, "all"), f"answer_mass:{part}"]
            assert whole == pytest.approx(np.mean(by_layer), abs=1e-5)
        assert rows.loc[(example.id, "0"), "reward"] == pytest.approx(
            rows.loc[(example.id, "0"), "answer_mass:latent"]
        )
    assert rows.xs("all", level="layers")["reward"].isna().all()


def test_patterns_sum_to_one_and_change_no_logits(reasoner, examples):
    rollout, state = ran(reasoner, examples)
    ids = torch.tensor([reasoner.prompter.marker_ids]).expand(len(examples), -1)
    kinds = torch.full_like(ids, int(Kind.ANSWER))
    with torch.no_grad():
        plain = rollout.extend(state.fork(), ids, kinds)
    with differentiable(reasoner.backbone.decoder) as patterns:
        exact = rollout.extend(state.fork(), ids, kinds)
    torch.testing.assert_close(exact.detach(), plain, atol=1e-5, rtol=1e-4)
    assert sorted(patterns.weights) == list(range(reasoner.backbone.n_layers))
    for weights in patterns.weights.values():
        torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]))
    assert not reasoner.backbone.decoder._forward_pre_hooks


@pytest.fixture
def gated():
    """An attention function that multiplies chosen cells by a gate and normalises nothing again."""
    gate = {"factor": 1.0, "keys": None, "layers": None}

    def function(module, query, key, value, attention_mask, scaling, **rest):
        output, _ = attention(module, query, key, value, attention_mask, scaling)
        chosen = gate["layers"] is None or module.layer_idx in gate["layers"]
        if gate["keys"] is None or not chosen:
            return output, None
        groups = query.shape[1] // key.shape[1]
        key, value = (x.repeat_interleave(groups, 1) for x in (key, value))
        scores = query @ key.transpose(-1, -2) * scaling
        weights = scores.masked_fill(~attention_mask, -torch.inf).softmax(-1)
        factor = 1 + (gate["factor"] - 1) * gate["keys"].double()[:, None, None]
        return ((weights * factor) @ value).transpose(1, 2), None

    AttentionInterface.register("gated", function)
    return gate


def in_double(backbone):
    """A copy that computes in float64, its norms too, which transformers runs in float32."""
    backbone = copy.deepcopy(backbone)
    backbone.model.double()
    for module in backbone.decoder.modules():
        if type(module).__name__.endswith("RMSNorm"):
            epsilon = module.variance_epsilon
            module.forward = lambda x, weight=module.weight, epsilon=epsilon: (
                weight * x * (x.square().mean(-1, keepdim=True) + epsilon).rsqrt()
            )
    return backbone


@pytest.mark.parametrize("likeliest", [False, True])
def test_the_gradient_is_that_of_a_gate_on_the_cells(qwen, gated, likeliest):
    backbone = in_double(qwen.backbone)
    model = Reasoner(backbone, PLANS["ivtlr"], qwen.prompter, qwen.placeholder_id, "double")
    asked = list(load_data("benchmark", limit=3))
    rollout, state = ran(model, asked)
    found = answer_pass(model, rollout, state, asked, likeliest)
    columns = {c["layers"]: c for c in found.columns()}
    backbone._set_attention("gated")

    def odds(part, layers, factor):
        kinds = torch.tensor([int(kind) for kind in GROUPS[part]])
        gated.update(factor=factor, keys=torch.isin(found.kinds, kinds), layers=layers)
        texts = [model.prompter.format.answer_texts(e.choices) for e in asked]
        rows = [
            [*model.prompter.marker_ids, *model.prompter.answer_ids(t)]
            for row in texts
            for t in row
        ]
        width, marker = max(map(len, rows)), len(model.prompter.marker_ids)
        assert all(len(row) == width for row in rows)
        ids = torch.tensor(rows)
        with torch.no_grad():
            logits = rollout.extend(state.repeat(4), ids, torch.full_like(ids, int(Kind.ANSWER)))
        scores = logits.log_softmax(-1)[:, :-1].gather(-1, ids[..., None])[..., 0]
        scores = scores[:, marker:].sum(-1).view(len(asked), 4)
        gold = [e.choices.index(e.answer) for e in asked]
        chosen = (found.own % 4).tolist()
        assert likeliest or chosen == gold
        return np.array([log_odds(s.tolist(), o) for s, o in zip(scores, chosen, strict=True)])

    step = 1e-5
    for part in ("latent_text", "latent_vision", "latent"):
        for layers, name in ((None, "all"), ([0], "0"), ([1], "1")):
            slope = (odds(part, layers, 1 + step) - odds(part, layers, 1 - step)) / (2 * step)
            exact = columns[name][f"answer_gradient:{part}"]
            assert np.abs(exact).max() > 1e-4
            np.testing.assert_allclose(exact, slope, rtol=1e-4, atol=1e-7)


def test_what_is_hidden_from_the_answer_reads_exactly_zero(planned):
    data = load_data("benchmark", limit=4)
    names = [f"answer_{m}:latent" for m in ("mass", "uniform", "gradient", "share")]
    hidden = readout_rows(CONFIG, planned("bypass"), data)
    assert (hidden[names] == 0).all(axis=None)
    open_ = readout_rows(CONFIG, planned("ivtlr"), data)
    assert (open_[["answer_mass:latent", "answer_share:latent"]] > 0).all(axis=None)
    assert (open_["answer_gradient:latent"] != 0).all()


def test_parts_add_up_and_so_do_layers(qwen):
    rows = readout_rows(CONFIG, qwen, load_data("benchmark", limit=4))
    for name in ("mass", "uniform", "gradient", "share"):
        parts = rows[f"answer_{name}:latent_text"] + rows[f"answer_{name}:latent_vision"]
        np.testing.assert_allclose(rows[f"answer_{name}:latent"], parts, rtol=1e-5, atol=1e-7)
    single = rows[rows["layers"] != "all"].groupby("example", sort=False)
    whole = rows[rows["layers"] == "all"].set_index("example")
    for name, combined in (("mass", single.mean), ("gradient", single.sum)):
        columns = [f"answer_{name}:latent"]
        np.testing.assert_allclose(
            whole[columns], combined(numeric_only=True)[columns], rtol=1e-5, atol=1e-7
        )


def test_neither_padding_nor_the_batch_nor_frozen_weights_change_a_row(reasoner, examples):
    together = readout_rows(CONFIG, reasoner, examples)
    weights = list(reasoner.backbone.model.parameters())
    for weight in weights:
        weight.requires_grad_(False)
    try:
        alone = readout_rows(dataclasses.replace(CONFIG, batch_size=1), reasoner, examples)
    finally:
        for weight in weights:
            weight.requires_grad_(True)
    pd.testing.assert_frame_equal(together, alone, rtol=2e-3, atol=1e-5)


def test_without_options_there_is_a_mass_and_no_gradient(planned):
    asked = [dataclasses.replace(e, choices=()) for e in load_data("benchmark", limit=2)]
    unknown = dataclasses.replace(asked[0], id="unknown", answer="")
    rows = readout_rows(CONFIG, planned("relay"), [*asked, unknown])
    assert "unknown" not in set(rows["example"])
    assert rows["answer_mass:latent"].notna().all()
    assert rows[["answer_gradient:latent", "answer_mass:latent_vision"]].isna().all(axis=None)
    assert rows["correct_likelihood"].isna().all()

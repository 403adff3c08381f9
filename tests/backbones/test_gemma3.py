"""Gemma 3: who sees whom, layer by layer, on and off the path of the model's own forward."""

import copy

import pytest
import torch
from PIL import Image

from latentlab.backbones.attention import differentiable
from latentlab.data import Example
from latentlab.reasoning.activations import record
from latentlab.reasoning.decode import option_logprobs
from latentlab.reasoning.knockout import Knockout
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.unrolled import unroll
from latentlab.reasoning.visibility import Kind
from tests.tiny.gemma3 import LAYERS, gemma3

WINDOW = 6
PLAN = LatentPlan(steps=3, k=1)


@pytest.fixture(scope="module")
def gemma():
    return gemma3(WINDOW)


@pytest.fixture(scope="module")
def asked() -> list[Example]:
    generator = torch.Generator().manual_seed(0)
    questions = ("Follow one hop.", "Follow two hops from the red circle.", "Follow the circle.")
    return [
        Example(
            f"e{i}",
            question,
            ("red circle", "red square"),
            "red square",
            Image.fromarray(
                torch.randint(256, (20, 30, 3), generator=generator).to(torch.uint8).numpy()
            ),
        )
        for i, question in enumerate(questions)
    ]


def eager(reasoner):
    model = copy.deepcopy(reasoner.backbone.model)
    model.set_attn_implementation("eager")
    return model


@torch.no_grad()
def test_patterns_of_a_prompt_are_those_of_the_model_itself(gemma, asked):
    batch = gemma.prompter.batch(asked, PLAN)
    image = batch.input_ids == gemma.backbone.image_token_id
    expected = eager(gemma)(
        input_ids=batch.input_ids,
        attention_mask=batch.attention_mask.long(),
        token_type_ids=image.long(),
        position_ids=gemma.backbone.positions(batch, "flat"),
        output_attentions=True,
        **batch.pixels,
    ).attentions
    with differentiable(gemma.backbone.decoder) as found:
        gemma.rollout(LatentPlan(steps=0)).prefill(batch)
    real = batch.attention_mask
    for layer, weights in enumerate(expected):
        ours = found.weights[layer].detach()
        torch.testing.assert_close(
            ours.transpose(1, 2)[real], weights.transpose(1, 2)[real], atol=1e-5, rtol=1e-4
        )
    start = int(image[0].nonzero()[0])
    assert (ours[0, :, start, start + 1 : start + 4] > 0).all()
    assert (ours[0, :, start, start + 4 :] == 0).all()


def own_mask(kinds: list[int], layer: str) -> torch.Tensor:
    """Who sees whom in a sequence of one example, written out cell by cell."""
    n = len(kinds)
    mask = torch.full((n, n), torch.finfo(torch.float).min)
    for query in range(n):
        for key in range(n):
            both = kinds[query] == kinds[key] == Kind.IMAGE
            near = layer == "full_attention" or query - key < WINDOW
            if near and (key <= query or both):
                mask[query, key] = 0.0
    return mask


@torch.no_grad()
def test_rows_of_latent_steps_are_eager_attention_and_zero_beyond_the_window(gemma, asked):
    rollout = gemma.rollout(PLAN, capture_layers=range(len(LAYERS)))
    decoder = eager(gemma).model.language_model
    together = rollout(gemma.prompter.batch(asked, PLAN))
    for i, example in enumerate(asked):
        state, unrolled = unroll(rollout, gemma.prompter.batch([example], PLAN))
        kinds = unrolled.kinds[0].tolist()
        output = decoder(
            inputs_embeds=unrolled.embeds,
            position_ids=unrolled.positions,
            attention_mask={name: own_mask(kinds, name)[None, None] for name in LAYERS},
            output_attentions=True,
            use_cache=False,
        )
        torch.testing.assert_close(
            state.hidden, output.last_hidden_state[:, -1], atol=1e-4, rtol=1e-4
        )
        for step in range(1, 4):
            newest = unrolled.newest(step - 1)
            for layer, name in enumerate(LAYERS):
                row = state.attention(step, layer)[0]
                expected = output.attentions[layer][0, :, newest, : newest + 1]
                torch.testing.assert_close(row, expected, atol=1e-5, rtol=1e-4)
                torch.testing.assert_close(row.sum(-1), torch.ones(len(row)))
                beyond = row[:, : newest + 1 - WINDOW]
                assert beyond.shape[1] > 0
                assert bool((beyond == 0).all()) == (name == "sliding_attention")
                of_batch = together.attention(step, layer)[i][:, -row.shape[1] :]
                torch.testing.assert_close(of_batch, row, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_padding_takes_no_room_in_the_window(gemma, asked):
    rollout = gemma.rollout(PLAN)
    words = torch.tensor([gemma.prompter.encode("Follow the red circle from one")] * 2)
    kinds = torch.full_like(words, int(Kind.RATIONALE))
    pair = rollout(gemma.prompter.batch(asked[:2], PLAN))
    padded = torch.cat([words[:, :2], words[:, :1].expand(-1, 4), words[:, 2:]], dim=1)
    gaps = torch.full((2, 4), int(Kind.PAD))
    gaps[0] = int(Kind.RATIONALE)  # only the second example has a hole in its text
    both = rollout.extend(pair, padded, torch.cat([kinds[:, :2], gaps, kinds[:, 2:]], dim=1))
    alone = rollout(gemma.prompter.batch(asked[1:2], PLAN))
    expected = rollout.extend(alone, words[1:], kinds[1:])
    torch.testing.assert_close(both[1, -1], expected[0, -1], atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_options_take_no_room_in_the_window_of_each_other(gemma, asked):
    rollout = gemma.rollout(PLAN)
    state = rollout(gemma.prompter.batch(asked[:1], PLAN))
    options = [[10, 11, 12, 13], [11, 12, 14, 15], [14, 10, 11, 12], [13, 15, 10, 11]]
    together = option_logprobs(rollout, state, [([], [])], [options])[0]
    for score, option in zip(together, options, strict=True):
        alone = option_logprobs(rollout, state, [([], [])], [[option]])[0]
        assert score == pytest.approx(alone[0], abs=1e-5)


@torch.no_grad()
def test_the_window_matters(gemma, asked):
    batch = gemma.prompter.batch(asked, PLAN)
    wide = gemma3(1000)
    difference = gemma.rollout(PLAN)(batch).hidden - wide.rollout(PLAN)(batch).hidden
    assert (difference.abs().amax(-1) > 1e-2).all()


@torch.no_grad()
def test_what_is_knocked_out_of_the_window_was_not_seen_anyway(gemma, asked):
    batch = gemma.prompter.batch(asked, PLAN)
    sliding = tuple(i for i, name in enumerate(LAYERS) if name == "sliding_attention")
    plan = LatentPlan(steps=3, k=1, select="random")
    rollout = gemma.rollout(plan)

    def hidden(knockout: Knockout) -> torch.Tensor:
        prefix = rollout.prefill(batch)
        with knockout.around(rollout):
            return rollout.reason(prefix).hidden

    intact = rollout(batch).hidden
    # The image is further away from every latent step than sliding layers see.
    assert torch.equal(hidden(Knockout("latent", "image", layers=sliding)), intact)
    assert not torch.equal(hidden(Knockout("latent", "image")), intact)
    blocked = plan.replace(blocked=(("latent", "image"),))
    expected = gemma.rollout(blocked)(batch).hidden
    torch.testing.assert_close(hidden(Knockout("latent", "image")), expected)


@torch.no_grad()
def test_attention_and_mlp_are_what_layers_add(gemma, asked):
    rollout = gemma.rollout(PLAN)
    components = ("resid_pre", "attn_out", "mlp_out", "resid_post")
    with record(rollout, components=components) as kept:
        rollout(gemma.prompter.batch(asked, PLAN))
    sites = [site for site in kept if site.component == "resid_post"]
    assert len(sites) == len(LAYERS) * (PLAN.steps + 1)
    for site in sites:
        parts = [
            value
            for other, value in kept.items()
            if (other.pass_index, other.layer) == (site.pass_index, site.layer)
            and other.component != "resid_post"
        ]
        assert len(parts) == 3
        torch.testing.assert_close(sum(parts), kept[site])

"""A backbone's pieces, put together again, are the family's own forward."""

import copy

import pytest
import torch
from transformers import DynamicCache, Qwen2_5_VLConfig, Qwen3VLConfig

from latentlab.backbones import FAMILIES, family_of
from latentlab.backbones.attention import ATTENTION_NAME
from latentlab.errors import UserError
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.visibility import Kind, attention_mask, visibility_table


@pytest.fixture
def batch(reasoner, examples):
    return reasoner.prompter.batch(examples, LatentPlan(steps=0))


def inputs(reasoner, batch):
    """What the family's own forward takes."""
    more = {}
    if "image_grid_thw" in batch.pixels:
        more["mm_token_type_ids"] = (batch.input_ids == reasoner.backbone.image_token_id).int()
    mask = batch.attention_mask.long()
    return {"input_ids": batch.input_ids, "attention_mask": mask, **batch.pixels, **more}


@torch.no_grad()
def test_logits_are_those_of_the_plain_model(reasoner, batch):
    backbone = reasoner.backbone
    plain = copy.deepcopy(backbone.model)
    plain.set_attn_implementation("eager")
    kinds = torch.where(batch.attention_mask, int(Kind.PROMPT), int(Kind.PAD))
    mask = attention_mask(kinds, kinds.shape[1], visibility_table(()))
    positions = backbone.positions(batch, "mrope")
    hidden = backbone.forward(backbone.embed(batch), positions, mask, DynamicCache())
    given = {} if positions.ndim == 3 else {"position_ids": positions}
    expected = plain(**inputs(reasoner, batch), **given).logits
    where = batch.attention_mask
    torch.testing.assert_close(
        backbone.logits(hidden)[where], expected[where], atol=2e-4, rtol=1e-4
    )


def test_flat_positions_count_what_is_no_padding(reasoner, batch):
    positions = reasoner.backbone.positions(batch, "flat")
    for row, mask in zip(positions, batch.attention_mask, strict=True):
        assert row[mask].tolist() == list(range(int(mask.sum())))


def test_mrope_positions_lay_the_picture_out(qwen, examples):
    batch = qwen.prompter.batch(examples[:1], LatentPlan(steps=0))
    image = batch.input_ids[0] == qwen.backbone.image_token_id
    time, row, column = qwen.backbone.positions(batch, "mrope")[:, 0, image].tolist()
    start = int(image.nonzero()[0])
    assert time == [start] * 6
    assert row == [start + i for i in (0, 0, 0, 1, 1, 1)]
    assert column == [start + i for i in (0, 1, 2, 0, 1, 2)]


def test_grids_count_the_visual_tokens(reasoner, examples):
    prepared = reasoner.backbone.prepare_images([example.image for example in examples])
    patches = reasoner.backbone.image_embeds(prepared.pixels)
    assert len(patches) == sum(prepared.counts)
    assert prepared.counts == tuple(rows * columns for rows, columns in prepared.grids)
    if reasoner.name != "chameleon":
        assert prepared.grids == ((2, 3), (3, 3), (4, 2))


def test_parts_of_the_model_are_told_apart(reasoner):
    backbone = reasoner.backbone
    assert len(backbone.layers) == backbone.n_layers == 2
    decoder = {id(p) for p in backbone.decoder.parameters()}
    vision = {id(p) for p in backbone.vision.parameters()}
    layers = {id(p) for p in backbone.layers.parameters()}
    assert vision
    assert layers < decoder
    assert not vision & layers


@torch.no_grad()
def test_chameleon_never_says_an_image_token(chameleon):
    tokens = chameleon.backbone.model.model.vocabulary_mapping.image_tokens
    logits = chameleon.backbone.logits(torch.randn(3, 32))
    assert (logits[:, tokens] == torch.finfo(torch.float32).min).all()
    assert (logits > torch.finfo(torch.float32).min).sum(-1).eq(logits.shape[-1] - 16).all()


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_runs_in_half_precision(reasoner, examples, dtype):
    half = copy.deepcopy(reasoner)
    half.backbone.model.to(dtype)
    state = half.rollout()(half.prompter.batch(examples, half.plan))
    assert state.hidden.dtype == dtype
    assert state.hidden.isfinite().all()
    assert state.picks.shape == (3, 2, 2)


MROPE = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]}
FULL_SIZE = {
    8_292_166_656: Qwen2_5_VLConfig(
        text_config={
            "vocab_size": 152064,
            "hidden_size": 3584,
            "intermediate_size": 18944,
            "num_hidden_layers": 28,
            "num_attention_heads": 28,
            "num_key_value_heads": 4,
            "rope_parameters": MROPE,
        },
        vision_config={"hidden_size": 1280, "out_hidden_size": 3584},
    ),
    8_767_123_696: Qwen3VLConfig(
        text_config={
            "hidden_size": 4096,
            "intermediate_size": 12288,
            "num_hidden_layers": 36,
            "num_key_value_heads": 8,
            "rope_parameters": {**MROPE, "mrope_section": [24, 20, 20], "mrope_interleaved": True},
        },
        vision_config={"out_hidden_size": 4096},
    ),
}
"""Configurations of the 7B and 8B models by their number of parameters."""


@pytest.mark.parametrize("size", FULL_SIZE)
def test_full_size_models_are_driven_without_their_weights(size):
    config = FULL_SIZE[size]
    family = family_of(config.model_type)
    with torch.device("meta"):
        backbone = family(family.model_class(config))
    assert sum(weight.numel() for weight in backbone.model.parameters()) == size
    assert len(backbone.layers) == backbone.n_layers == config.text_config.num_hidden_layers
    width = config.text_config.hidden_size
    assert backbone.attention(backbone.n_layers - 1).o_proj.out_features == width
    assert backbone.model.config.text_config._attn_implementation == ATTENTION_NAME


def test_families_are_found_by_model_type():
    assert family_of("chameleon") is FAMILIES["chameleon"]
    known = ", ".join(sorted(FAMILIES))
    with pytest.raises(UserError, match=f"'blip-2'; known: {known}; docs/extending.md shows"):
        family_of("blip-2")

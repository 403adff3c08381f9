"""Features that later layers add belong to the prompt's image positions and to nothing else."""

import dataclasses

import pytest
import torch

from latentlab.adapters.transformer_lens import bridged
from latentlab.check.material import Material, difference, material_of
from latentlab.reasoning.activations import Site, record
from latentlab.reasoning.decode import append_text
from latentlab.reasoning.interventions import PromptReplace
from latentlab.reasoning.sources import Zero
from latentlab.reasoning.unrolled import unroll
from tests.tiny.families import TINY


@pytest.fixture(scope="module")
def material() -> Material:
    return material_of(TINY["qwen3_vl"]())


@torch.no_grad()
def test_they_stand_where_the_image_does(material):
    backbone, batch = material.reasoner.backbone, material.batch()
    merged, features = backbone.merge(batch), backbone.image_features(batch.pixels)
    where = batch.input_ids == backbone.image_token_id
    assert merged.deep.shape == (2, *merged.embeds.shape)
    for level, expected in zip(merged.deep, features.deep, strict=True):
        assert torch.equal(level[where], expected)
        assert not level[~where].any()
    assert torch.equal(merged.embeds[where], features.embeds)
    wordy = backbone.merge(material.wordy()[0])
    assert wordy.deep is None


@torch.no_grad()
def test_a_re_inserted_patch_is_its_input_embedding(material):
    rollout, batch = material.rollout(), material.batch()
    state, unrolled = unroll(rollout, batch)
    prompt = batch.input_ids.shape[1]
    assert not unrolled.deep[:, :, prompt:].any()
    patches = material.reasoner.backbone.image_embeds(batch.pixels)
    picked = state.latents[0].vision[0]
    assert torch.equal(picked, patches[state.latents[0].picks[0]])


@torch.no_grad()
def test_without_them_the_latents_are_others(material):
    rollout, batch = material.rollout(), material.batch()
    state, unrolled = unroll(rollout, batch)
    bare, _ = dataclasses.replace(unrolled, deep=None).forward(rollout.backbone)
    assert difference(bare[:, -1], state.hidden) > 1e-2


@torch.no_grad()
def test_what_is_put_over_a_patch_is_all_that_stands_there(material):
    """The second layer's input at an overwritten patch is the first layer's output."""
    rollout, batch = material.rollout(), material.batch()
    where = (batch.input_ids == rollout.backbone.image_token_id) & batch.attention_mask
    begins = (~batch.attention_mask).sum(-1).tolist()
    first = [int(row.nonzero()[0]) for row in where]
    names = zip(batch.examples, first, begins, strict=True)
    over = PromptReplace(Zero(), count=1, where={n: [at - pad] for n, at, pad in names})
    width = batch.input_ids.shape[1]
    with record(rollout, (0, 1), ("resid_post", "resid_pre"), range(-width, 0)) as kept:
        state = rollout.prefill(batch, [over])
    for row, at in enumerate(first):
        for place, added in ((at, False), (at + 1, True)):
            before = kept[Site(0, 0, "resid_post", place - width)][row]
            after = kept[Site(0, 1, "resid_pre", place - width)][row]
            assert torch.equal(before, after) != added
            assert bool(state.deep[0, row, place].any()) == added


@torch.no_grad()
def test_transformer_lens_adds_them_in_one_pass_too(material):
    reasoner, rollout = material.reasoner, material.rollout()
    state = rollout(material.batch())
    append_text(rollout, state, reasoner.prompter.marker_ids)
    logits, _, _ = bridged(reasoner).run_with_cache(material.examples, names_filter=[])
    assert difference(logits[:, -1], reasoner.backbone.logits(state.hidden)) < 1e-5

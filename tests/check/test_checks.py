"""A check finds what it is there to find: each way of driving a family wrongly shows somewhere."""

import math

import pytest
import torch

from latentlab.backbones import Embedded, attention
from latentlab.backbones.components import component_of
from latentlab.check import checks
from latentlab.check.checks import CHECKS, DIFFERS, FAILED, HOLDS, Check, check
from latentlab.check.config import NAMES
from latentlab.check.findings import conclusion
from latentlab.check.material import difference, material_of
from latentlab.reasoning import rollout
from latentlab.reasoning.interventions import Replace
from latentlab.reasoning.rollout import Rollout
from tests.tiny.families import TINY


def flat_positions(backbone, patch):
    patch.setattr(backbone, "mrope_positions", lambda batch: backbone.positions(batch, "flat"))


def text_begins_too_late(backbone, patch):
    """As if an image took one position more: the prompt is right, and what follows it is not."""
    own = Rollout.prefill

    def prefill(self, batch, edits=()):
        state = own(self, batch, edits)
        state.next_position = state.next_position + 1
        return state

    patch.setattr(Rollout, "prefill", prefill)


def no_deep_features(backbone, patch):
    patch.setattr(backbone, "image_features", lambda p: Embedded(backbone.image_embeds(p)))


def patches_backwards(backbone, patch):
    own = backbone.image_embeds
    patch.setattr(backbone, "image_embeds", lambda pixels: own(pixels).flip(0))


def patches_without_gradient(backbone, patch):
    own = backbone.image_embeds
    patch.setattr(backbone, "image_embeds", lambda pixels: own(pixels).detach())


def latents_are_cut_off(backbone, patch):
    make = rollout.make_latent

    def cut(*args):
        latent = make(*args)
        return latent.replace(text=latent.text.detach())

    patch.setattr(rollout, "make_latent", cut)


def latents_do_not_see_the_first_token(backbone, patch):
    def masks(mask, real, images):
        if mask is None or mask.shape[2] == mask.shape[3]:
            return mask
        mask = mask.clone()
        mask[..., 0] = False
        return mask

    patch.setattr(backbone, "masks", masks)


def padding_takes_positions(backbone, patch):
    def positions(batch, scheme):
        places = torch.arange(batch.input_ids.shape[1])
        return (places**2 // 7).expand_as(batch.input_ids)

    patch.setattr(backbone, "positions", positions)


def parts_before_their_norms(backbone, patch):
    patch.setattr(backbone, "component", lambda at, name: component_of(backbone.layers[at], name))


def rows_of_the_first_query(backbone, patch):
    row = attention.last_row
    patch.setattr(attention, "last_row", lambda q, k, mask, s: row(q[:, :, :1], k, mask, s))


def edits_do_nothing(backbone, patch):
    patch.setattr(Replace, "edit", lambda self, latent, step, context: latent)


@pytest.mark.parametrize(
    ("family", "wrong", "found", "missed"),
    [
        ("qwen2_vl", flat_positions, "image", "text"),
        ("qwen2_5_vl", text_begins_too_late, "image", "cached"),
        ("qwen3_vl", no_deep_features, "image", "text"),
        ("qwen2_5_vl", patches_backwards, "image", "text"),
        ("qwen2_vl", patches_without_gradient, "gradients", "image"),
        ("chameleon", latents_are_cut_off, "through", "gradients"),
        ("qwen2_vl", latents_do_not_see_the_first_token, "cached", "zero"),
        ("chameleon", padding_takes_positions, "padded", "cached"),
        ("chameleon", padding_takes_positions, "batched", "cached"),
        ("qwen3_vl", rows_of_the_first_query, "attention", "image"),
        ("gemma3", parts_before_their_norms, "components", "own"),
        ("qwen2_vl", edits_do_nothing, "zero", "own"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_what_is_wrong_is_found_by_the_check_that_is_for_it(
    family, wrong, found, missed, monkeypatch
):
    material = material_of(TINY[family]())
    wrong(material.reasoner.backbone, monkeypatch)
    assert not CHECKS[found].measure(material) <= CHECKS[found].tolerance
    assert CHECKS[missed].measure(material) <= CHECKS[missed].tolerance


def raises(error):
    def measure(material):
        raise error

    return measure


def test_one_row_a_check_with_its_verdict(qwen, monkeypatch):
    measures = {
        "image": lambda material: 0.5,
        "text": lambda material: 1.0,
        "cached": lambda material: math.nan,
        "own": raises(KeyError("o_proj")),
    }
    made = {name: Check(f"{name}: itself", measure, 0.5) for name, measure in measures.items()}
    monkeypatch.setattr(checks, "CHECKS", made)
    rows = check(qwen, tuple(made))
    assert rows["check"].tolist() == list(made)
    assert rows["verdict"].tolist() == [HOLDS, DIFFERS, DIFFERS, FAILED]
    assert rows["family"].unique().tolist() == ["qwen2_vl"]
    assert conclusion(rows) == [
        "tiny: 1 of 4 checks hold.",
        "tiny: text differs: 1 is more than 0.5",
        "tiny: cached differs: nan is more than 0.5",
        "tiny: own failed: KeyError: 'o_proj'",
    ]


def test_checks_are_named_once():
    assert tuple(CHECKS) == NAMES


def test_differences_are_relative_to_large_values_and_ruled_out_tokens_are_none():
    lowest = torch.finfo(torch.float32).min
    expected = torch.tensor([200.0, -1.0, lowest])
    assert difference(torch.tensor([201.0, -1.0, lowest]), expected) == pytest.approx(1 / 200)
    assert difference(torch.tensor([0.25]), torch.tensor([0.5])) == 0.25
    assert difference(torch.tensor([0.25]), torch.tensor([0.5]), least=0) == 0.5
    assert difference(torch.tensor([0.0, 1.0]), torch.tensor([lowest, 1.0])) > 1
    assert math.isnan(difference(torch.tensor([torch.nan]), torch.tensor([0.5])))

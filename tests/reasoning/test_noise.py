"""Noise has the size it says, comes from the example's own stream, and is nothing at zero."""

import pytest
import torch

from latentlab.draws import example_generator
from latentlab.errors import UserError
from latentlab.reasoning.bank import Bank
from latentlab.reasoning.noise import MatchedNoise, Noise, NormMatched, UnitNoise
from latentlab.reasoning.sources import Context

NAMES = tuple(map(str, range(400)))


@pytest.fixture(scope="module")
def bank():
    """Latent texts of one step whose dimensions differ in mean and spread, and two patches."""
    generator = torch.Generator().manual_seed(0)
    text = 5 + torch.randn(400, 1, 16, generator=generator) * torch.arange(1, 17)
    vision = torch.randn(400, 1, 2, 16, generator=generator)
    return Bank(NAMES, text, vision, prompt=text[:, 0] / 2)


def kinds(bank):
    added = [Noise(bank, 0.5), Noise(bank, 0.5, keep_norm=True)]
    return [*added, MatchedNoise(bank), UnitNoise(), NormMatched()]


def given(noise, original, part="latent_text", examples=NAMES, seed=0):
    return noise.values(original, part, 0, Context(examples, None, seed))


def test_added_noise_has_the_strength_it_says(bank):
    moved = given(Noise(bank, 0.5), bank.text) - bank.text
    ratio = moved.std(0) / bank.text.std(0)
    torch.testing.assert_close(ratio, torch.full_like(ratio, 0.5), atol=0.06, rtol=0)


@pytest.mark.parametrize("keep_norm", [False, True])
def test_noise_without_strength_is_the_original_itself(bank, keep_norm):
    assert given(Noise(bank, 0.0, keep_norm), bank.text) is bank.text


def test_formulas_by_hand(bank):
    original = bank.text[3:4]
    noise = torch.randn(1, 16, generator=example_generator("3", 7, "noise text", 0))[None]
    mean, deviation = bank.text.mean(0), bank.text.std(0)
    noisy = original + 2 * deviation * noise
    of_three = {"examples": ("3",), "seed": 7}
    torch.testing.assert_close(given(Noise(bank, 2.0), original, **of_three), noisy)
    kept = given(Noise(bank, 2.0, keep_norm=True), original, **of_three)
    torch.testing.assert_close(kept, noisy / noisy.norm() * original.norm())
    torch.testing.assert_close(
        given(MatchedNoise(bank), original, **of_three), mean + deviation * noise
    )
    assert torch.equal(given(UnitNoise(), original, **of_three), noise)


def test_matched_noise_has_the_moments_of_the_slot_and_unit_noise_has_none_of_them(bank):
    for part, values in (("latent_text", bank.text), ("prompt", bank.prompt[:, None])):
        found = given(MatchedNoise(bank), values, part)
        ratio = found.std(0) / values.std(0)
        torch.testing.assert_close(ratio, torch.ones_like(ratio), atol=0.12, rtol=0)
        off = (found.mean(0) - values.mean(0)) / values.std(0)
        assert off.abs().max() < 0.25
    unit = given(UnitNoise(), bank.text)
    torch.testing.assert_close(unit.std(0), torch.ones(1, 16), atol=0.15, rtol=0)
    assert unit.mean(0).abs().max() < 0.25


@pytest.mark.parametrize("index", range(5))
def test_an_example_gets_the_same_noise_in_any_batch_and_other_noise_with_another_seed(bank, index):
    noise = kinds(bank)[index]
    for part, values in (("latent_text", bank.text), ("latent_vision", bank.vision[:, 0])):
        many = given(noise, values, part)
        some = given(noise, values[[5, 2]], part, ("5", "2"))
        assert torch.equal(some, many[[5, 2]])
        assert not torch.equal(given(noise, values, part, seed=1), many)
    alike = given(noise, bank.vision[:, 0], "latent_vision")
    assert not torch.equal(alike[:, 0], alike[:, 1])


def test_norm_matched_vectors_keep_each_norm_and_nothing_else(bank):
    for part, values in (("latent_text", bank.text), ("latent_vision", bank.vision[:, 0])):
        found = given(NormMatched(), values, part)
        torch.testing.assert_close(found.norm(dim=-1), values.norm(dim=-1))
        cosine = torch.cosine_similarity(found, values, dim=-1)
        # Random directions in 16 dimensions: mean 0, standard deviation 1 / 4.
        assert cosine.mean().abs() < 0.05
        assert abs(float(cosine.std()) - 0.25) < 0.04
    scaled = given(NormMatched(), 7 * bank.text)
    torch.testing.assert_close(scaled, 7 * given(NormMatched(), bank.text))


def test_a_spread_needs_two_examples(bank):
    alone = Bank(("0",), bank.text[:1], None)
    for noise in (Noise(alone), MatchedNoise(alone)):
        with pytest.raises(UserError, match="needs at least two"):
            given(noise, bank.text[:1], examples=("0",))

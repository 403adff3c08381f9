"""What must hold of every family, on a tiny model of its real configuration class."""

import copy

import pytest
import torch

from latentlab.backbones import FAMILIES
from latentlab.check.checks import CHECKS
from latentlab.check.material import Material, material_of
from latentlab.training.objective import Objective, TrainingBatch
from tests.tiny.families import TINY, VARIANTS

MODELS = TINY | VARIANTS


@pytest.fixture(scope="module", params=MODELS)
def material(request) -> Material:
    return material_of(MODELS[request.param]())


@pytest.mark.parametrize("name", CHECKS)
def test_a_family_conforms(material, name):
    assert CHECKS[name].measure(material) <= CHECKS[name].tolerance


@torch.no_grad()
def test_a_family_runs_in_half_precision(material):
    half = copy.deepcopy(material.reasoner)
    half.backbone.model.to(torch.bfloat16)
    state = half.rollout()(half.batch(material.examples))
    assert state.hidden.dtype == torch.bfloat16
    assert state.hidden.isfinite().all()
    assert state.picks.shape == (3, 2, 2)


def test_the_loss_of_a_family_reaches_every_layer(material):
    reasoner = copy.deepcopy(material.reasoner)
    text = reasoner.prompter.continuation(material.examples, None)
    batch = TrainingBatch(reasoner.batch(material.examples), latent_steps=2, text=text)
    Objective(reasoner)(batch)["loss"].backward()
    for layer in range(reasoner.backbone.n_layers):
        projection = reasoner.backbone.attention(layer).get_submodule("q_proj")
        assert projection.weight.grad.abs().sum() > 0


def test_every_family_has_a_tiny_model():
    assert set(TINY) == set(FAMILIES)

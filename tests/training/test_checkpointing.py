"""Gradient checkpointing through latent steps: the same numbers, less memory."""

from contextlib import nullcontext

import pytest
import torch

from latentlab.data import load_data
from latentlab.reasoning.plan import LatentPlan
from latentlab.train.ledger import Ledger
from latentlab.training.adapters import add_adapters
from latentlab.training.checkpointing import checkpointed
from latentlab.training.config import LoraConfig
from latentlab.training.objective import Objective
from latentlab.training.stage_data import Collator, StageItem
from latentlab.training.tiny import TinyConfig, tiny_reasoner

DEEP = TinyConfig(hidden=64, layers=6, heads=2, feed_forward=192, vision_layers=1, vision_hidden=32)


def step(plan, again, lora=None, dtype="float32"):
    """Loss, gradients and peak memory of one training step."""
    reasoner = tiny_reasoner(plan, DEEP)
    if lora is not None:
        add_adapters(reasoner.backbone, lora, seed=0)
    objective = Objective(reasoner, dtype)
    objective.train()
    examples = load_data("benchmark:hops=4", "train", 0, 4)
    batch = Collator(reasoner, True)([StageItem(example, plan.steps) for example in examples])
    torch.manual_seed(0)
    ledger = Ledger()
    with checkpointed(reasoner.backbone) if again else nullcontext(), ledger:
        loss = objective(**batch)["loss"]
        loss.backward()
    return loss.item(), {n: p.grad for n, p in objective.trained().items()}, ledger.peak


PLANS = {
    "through": LatentPlan(steps=3, k=2, gradient="through"),
    "detached": LatentPlan(steps=3, k=2),
    "words": LatentPlan(steps=3, k=2, content="words", part_order="text_vision"),
    "blocked": LatentPlan(steps=2, k=2, gradient="through", blocked=(("answer", "image"),)),
}


@pytest.mark.parametrize("name", PLANS)
def test_losses_and_gradients_are_those_without(name):
    (plain, expected, _), (loss, found, _) = (step(PLANS[name], again) for again in (False, True))
    assert loss == pytest.approx(plain, abs=1e-6)
    assert expected.keys() == found.keys() and any(g is not None for g in found.values())
    for key, gradient in expected.items():
        torch.testing.assert_close(found[key], gradient, rtol=0, atol=1e-6)


def test_dropout_in_front_of_adapters_is_drawn_once():
    lora = LoraConfig(rank=4, dropout=0.5)
    (plain, expected, _), (loss, found, _) = (
        step(PLANS["through"], again, lora) for again in (False, True)
    )
    assert loss == plain
    for key, gradient in expected.items():
        torch.testing.assert_close(found[key], gradient, rtol=0, atol=1e-6)


def test_it_saves_memory():
    peaks = [step(PLANS["through"], again)[2] for again in (False, True)]
    assert peaks[1] < 0.6 * peaks[0]


def test_the_model_is_left_as_it_was():
    reasoner = tiny_reasoner(PLANS["through"], DEEP)
    with checkpointed(reasoner.backbone):
        assert all("forward" in vars(layer) for layer in reasoner.backbone.layers)
    assert not any("forward" in vars(layer) for layer in reasoner.backbone.layers)


def test_bfloat16_stays_close_to_float32():
    (plain, expected, _), (loss, found, _) = (
        step(PLANS["through"], False, dtype=dtype) for dtype in ("float32", "bfloat16")
    )
    assert loss == pytest.approx(plain, abs=0.02)
    apart = sum(float((found[k] - g).square().sum()) for k, g in expected.items())
    size = sum(float(g.square().sum()) for g in expected.values())
    assert 0 < apart < 0.05**2 * size

"""Low-rank adapters: only they are trained, rollouts run through them, merging changes nothing."""

import copy

import pytest
import torch

from latentlab.checkpoint import load, save
from latentlab.data import Benchmark, BenchmarkConfig
from latentlab.errors import UserError
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan
from latentlab.training.adapters import PROJECTIONS, add_adapters
from latentlab.training.config import LoraConfig
from latentlab.training.objective import Objective
from latentlab.training.stage_data import Collator, StageItem

PLAN = LatentPlan(steps=2, k=2, gradient="through")
LORA = LoraConfig(rank=4, alpha=8)
EXAMPLES = list(Benchmark(BenchmarkConfig(size=4)))


def loss(reasoner: Reasoner) -> torch.Tensor:
    items = [StageItem(example, 2) for example in EXAMPLES]
    return Objective(reasoner)(**Collator(reasoner, True)(items))["loss"]


def shake(reasoner: Reasoner) -> None:
    """Give the adapters something to say: they start as zero."""
    for name, parameter in reasoner.backbone.model.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.1)


def test_fresh_adapters_change_nothing_and_only_they_are_trained(untrained):
    reasoner = untrained(PLAN)
    before = loss(reasoner)
    add_adapters(reasoner.backbone, LORA, seed=0)
    assert torch.equal(loss(reasoner), before)
    trained = Objective(reasoner).trained()
    assert len(trained) == 2 * 7 * 2
    assert all("lora_" in name and "visual" not in name for name in trained)
    loss(reasoner).backward()
    for name, parameter in reasoner.backbone.model.named_parameters():
        # The second factor is zero at first, so nothing flows to the first one yet.
        assert (parameter.grad is not None and bool(parameter.grad.any())) == ("lora_B" in name)


def test_merging_and_saving_keep_the_logits(untrained, tmp_path):
    reasoner = untrained(PLAN)
    model = reasoner.backbone.model
    names = set(model.state_dict())
    adapters = add_adapters(reasoner.backbone, LORA, seed=0)
    model.eval()
    plain = loss(reasoner)
    shake(reasoner)
    adapted = loss(reasoner)
    assert not torch.allclose(adapted, plain, atol=1e-3)
    batch = reasoner.prompter.batch(EXAMPLES, PLAN)
    with torch.no_grad():
        ours = reasoner.backbone.logits(reasoner.rollout()(batch).hidden)
    adapters.merge_and_unload()
    assert set(model.state_dict()) == names
    save(reasoner, tmp_path / "merged")
    loaded = load(str(tmp_path / "merged"))
    with torch.no_grad():
        theirs = loaded.backbone.logits(loaded.rollout()(batch).hidden)
    torch.testing.assert_close(theirs, ours, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(loss(loaded), adapted, rtol=1e-4, atol=1e-5)


def test_adapters_begin_as_the_seed_says_whatever_was_drawn_before(untrained):
    states = []
    for seed in (0, 0, 1):
        reasoner = untrained(PLAN)
        torch.rand(len(states))
        add_adapters(reasoner.backbone, LORA, seed)
        states.append(torch.cat([p.flatten() for p in Objective(reasoner).trained().values()]))
    assert torch.equal(states[0], states[1]) and not torch.equal(states[0], states[2])


def test_the_other_family_gets_as_many(chameleon):
    reasoner = copy.deepcopy(chameleon)
    add_adapters(reasoner.backbone, LORA, seed=0)
    assert len(Objective(reasoner).trained()) == 2 * len(PROJECTIONS) * 2


def test_a_decoder_without_the_projections_is_refused(untrained):
    reasoner = untrained(PLAN)
    for layer in reasoner.backbone.layers:
        layer.self_attn = layer.mlp = torch.nn.Identity()
    with pytest.raises(UserError, match="nothing to adapt"):
        add_adapters(reasoner.backbone, LORA, seed=0)

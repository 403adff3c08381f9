"""Muon with AdamW as one optimizer: the same numbers as the two of them side by side."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.optim import AdamW, Muon
from torch.optim.lr_scheduler import LambdaLR

from latentlab.reasoning.plan import LatentPlan
from latentlab.training.optimizer import MuonWithAdamW, make_optimizer
from latentlab.training.tiny import tiny_reasoner

RATES = {"learning_rate": 1e-2, "muon_learning_rate": 2e-2, "weight_decay": 0.1}


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.Linear(8, 4))


def matrices(model: nn.Module) -> list[nn.Parameter]:
    return [p for p in model.parameters() if p.ndim == 2]


def others(model: nn.Module) -> list[nn.Parameter]:
    return [p for p in model.parameters() if p.ndim != 2]


def backward(model: nn.Module, update: int) -> None:
    inputs = torch.randn(5, 6, generator=torch.Generator().manual_seed(update))
    model.zero_grad()
    model(inputs).square().mean().backward()


def equal(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.equal(mine, theirs) for mine, theirs in pairs)


def rate(step: int) -> float:
    return 1 / (1 + step)


def test_it_equals_its_two_parts_side_by_side_under_one_schedule():
    ours, theirs = network(), network()
    both = MuonWithAdamW(matrices(ours), others(ours), 2e-2, 1e-2, weight_decay=0.1)
    muon = Muon(matrices(theirs), lr=2e-2, weight_decay=0.1)
    adamw = AdamW(others(theirs), lr=1e-2, betas=(0.9, 0.98), weight_decay=0.1)
    schedule, *schedules = (LambdaLR(optimizer, rate) for optimizer in (both, muon, adamw))
    for update in range(5):
        backward(ours, update)
        backward(theirs, update)
        for each in (both, muon, adamw, schedule, *schedules):
            each.step()
        assert equal(ours, theirs)
    rates = pytest.approx([2e-2 / 6, 1e-2 / 6])
    assert [group["lr"] for group in both.param_groups] == rates
    assert [part.param_groups[0]["lr"] for part in both.parts] == rates
    both.zero_grad()
    assert all(p.grad is None for p in ours.parameters())


def test_its_state_survives_a_file_and_a_schedule_still_reaches_it(tmp_path):
    ours = network()
    first = make_optimizer(ours, **RATES)
    for update in range(3):
        backward(ours, update)
        first.step()
    path = tmp_path / "optimizer.pt"
    torch.save(first.state_dict(), path)
    theirs = copy.deepcopy(ours)
    second = make_optimizer(theirs, **RATES)
    second.load_state_dict(torch.load(path, weights_only=True))
    schedules = [LambdaLR(optimizer, rate) for optimizer in (first, second)]
    for update in range(3, 6):
        trios = zip((ours, theirs), (first, second), schedules, strict=True)
        for model, optimizer, schedule in trios:
            backward(model, update)
            optimizer.step()
            schedule.step()
    assert equal(ours, theirs)
    assert [group["lr"] for group in second.param_groups] == pytest.approx([2e-2 / 4, 1e-2 / 4])


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("frozen", [False, True])
def test_every_weight_that_is_trained_is_in_one_group(sizes, tied, frozen):
    reasoner = tiny_reasoner(LatentPlan(steps=0), replace(sizes, tied=tied))
    model = reasoner.backbone.model
    reasoner.backbone.vision.requires_grad_(not frozen)
    optimizer = make_optimizer(model, **RATES)
    names = {id(p): name for name, p in model.named_parameters()}
    groups = [[names[id(p)] for p in group["params"]] for group in optimizer.param_groups]
    grouped = [name for group in groups for name in group]
    assert sorted(grouped) == sorted(n for n, p in model.named_parameters() if p.requires_grad)
    assert any("visual" in name for name in grouped) != frozen
    hidden, rest = groups
    assert "model.language_model.embed_tokens.weight" in rest
    assert ("lm_head.weight" in rest) != tied and "lm_head.weight" not in hidden
    assert all(dict(model.named_parameters())[name].ndim == 2 for name in hidden)
    assert sum("language_model.layers" in name for name in hidden) == 2 * 7


def test_without_a_rate_for_muon_all_is_adamw(untrained):
    model = untrained(LatentPlan(steps=0)).backbone.model
    optimizer = make_optimizer(model, 1e-3, None, 0.1)
    assert type(optimizer) is AdamW
    (group,) = optimizer.param_groups
    assert len(group["params"]) == len(list(model.parameters()))
    assert (group["lr"], group["weight_decay"]) == (1e-3, 0.1)

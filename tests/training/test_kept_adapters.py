"""A model that keeps adapters is trained on with them, and keeps them."""

import pytest
import torch
from peft import LoraConfig as PeftLoraConfig

from latentlab.checkpoint import load, save
from latentlab.data import Benchmark, BenchmarkConfig
from latentlab.errors import UserError
from latentlab.lora import adapter_names, adapters_of, attach, base_weights
from latentlab.reasoning.plan import LatentPlan
from latentlab.training.adapters import add_adapters
from latentlab.training.config import LoraConfig
from latentlab.training.curriculum import train
from latentlab.training.objective import Objective
from latentlab.training.stage_data import Collator, StageItem

PLAN = LatentPlan(steps=2, k=2, gradient="through")
LORA = LoraConfig(rank=2, alpha=3)
MODULE = "model.language_model.layers.1.mlp.up_proj"
EXAMPLES = list(Benchmark(BenchmarkConfig(size=4)))


@pytest.fixture
def kept(untrained, tmp_path):
    """A loaded model with adapters on one projection."""
    reasoner = untrained(PLAN)
    model = reasoner.backbone.model
    out, into = model.get_submodule(MODULE).weight.shape
    a, b = adapter_names(MODULE)
    settings = PeftLoraConfig(r=2, lora_alpha=3, target_modules=[MODULE])
    attach(model, settings, {a: torch.randn(2, into), b: torch.randn(out, 2)})
    save(reasoner, tmp_path / "kept")
    return load(str(tmp_path / "kept"))


def test_an_update_changes_its_adapters_alone_and_they_are_saved(kept, tmp_path):
    model = kept.backbone.model
    assert add_adapters(kept.backbone, LORA, seed=0) is None
    before = {name: value.clone() for name, value in model.state_dict().items()}
    items = [StageItem(example, 2) for example in EXAMPLES]
    objective = Objective(kept)
    assert len(objective.trained()) == 2
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    objective(**Collator(kept, True)(items))["loss"].backward()
    optimizer.step()
    changed = {name for name, value in model.state_dict().items() if not value.equal(before[name])}
    assert changed == {f"{MODULE}.lora_{part}.default.weight" for part in "AB"}
    save(kept, tmp_path / "trained")
    again = load(str(tmp_path / "trained")).backbone.model
    for read in (adapters_of, base_weights):
        ours, theirs = read(model), read(again)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.slow
def test_a_whole_training_moves_adapters_stage_by_stage_and_nothing_else(kept, short, tmp_path):
    training = short(init=str(tmp_path / "kept"), lora=LORA, stage={"muon_learning_rate": None})
    train(training, tmp_path / "run", "cpu")
    trained = load(str(tmp_path / "run" / "final")).backbone.model
    before = kept.backbone.model
    for name, weight in base_weights(before).items():
        assert torch.equal(base_weights(trained)[name], weight)
    for name, weight in adapters_of(before).items():
        assert not torch.equal(adapters_of(trained)[name], weight)


@pytest.mark.parametrize("lora", [LoraConfig(rank=4, alpha=3), LoraConfig(rank=2, alpha=4)])
def test_adapters_of_another_make_are_refused(kept, lora):
    with pytest.raises(UserError, match="keeps adapters of rank 2 and alpha 3, but the training"):
        add_adapters(kept.backbone, lora, seed=0)

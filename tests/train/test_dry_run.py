"""A dry run: known totals, and counts held to a step that really runs."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from accelerate.commands.config.config_args import load_config_from_file
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from latentlab.commands import start
from latentlab.data import load_data
from latentlab.errors import UserError
from latentlab.reasoning.plan import LatentPlan
from latentlab.train.blueprint import blueprint
from latentlab.train.estimate import Estimate, lengths_of
from latentlab.train.ledger import Ledger, Step, operations, peak_bytes
from latentlab.training.checkpointing import checkpointed
from latentlab.training.config import LoraConfig, StageConfig, TrainConfig, read_config
from latentlab.training.objective import Objective
from latentlab.training.stage_data import Collator, StageItem
from latentlab.training.tiny import TinyConfig, tiny_reasoner

RECIPES = Path(__file__).parents[2] / "experiments" / "recipes"
KNOWN = {"qwen2vl_m3cot": 8_291_375_616, "chameleon_scienceqa": 7_043_090_432}


@pytest.mark.slow
@pytest.mark.parametrize("name", KNOWN)
def test_the_recipes_are_the_published_training_of_models_of_known_size(name):
    config = read_config(RECIPES / f"{name}.yaml")
    assert config.lora == LoraConfig(rank=64, alpha=16, dropout=0.05)
    assert (config.dtype, config.gradient_checkpointing, config.freeze_vision) == (
        "bfloat16",
        True,
        True,
    )
    assert [stage.latent_steps for stage in config.stages] == [0, 1, 2, 3]
    assert {(s.epochs, s.learning_rate, s.device_batch_size) for s in config.stages} == {
        (4, 4e-5, 4)
    }
    assert {stage.accumulation(4) for stage in config.stages} == {1}
    drawn = blueprint(config, RECIPES)
    assert drawn.frozen == KNOWN[name]
    text = drawn.backbone.text_config
    width, heads = text.hidden_size, text.hidden_size // text.num_attention_heads
    shared = heads * text.num_key_value_heads
    both = 2 * (2 * width) + 2 * (width + shared) + 3 * (width + text.intermediate_size)
    assert drawn.trained == 64 * text.num_hidden_layers * both


@pytest.mark.slow
def test_a_dry_run_tells_of_every_engine_and_writes_nothing(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert start("train", [str(RECIPES / "qwen2vl_m3cot.yaml"), "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "8,291,375,616 parameters that stay" in shown and "161,480,704 that are" in shown
    assert all(engine in shown for engine in ("DDP", "FSDP", "ZeRO-2", "A6000", "H100", "Assumed"))
    assert not list(tmp_path.iterdir())


SIZES = TinyConfig(hidden=64, layers=5, heads=2, feed_forward=192, vision_layers=1)


def little(**changes) -> TrainConfig:
    stage = StageConfig("s", updates=3, batch_size=4, latent_steps=2, muon_learning_rate=None)
    plan = LatentPlan(steps=2, k=0, gradient="through")
    settings = {"init": SIZES, "plan": plan, "freeze_vision": True, **changes}
    return TrainConfig("little", (stage,), **settings)


def real_step(config: TrainConfig, checkpointing: bool) -> tuple[Step, int, int]:
    """A step on the CPU: its shape, its peak memory and its operations."""
    reasoner = tiny_reasoner(config.plan, config.init)
    found = load_data("benchmark:hops=4", "train", 0, 4)
    examples = [replace(example, image=None) for example in found]
    objective = Objective(reasoner)
    objective.train()
    for parameter in objective.parameters():
        parameter.grad = torch.zeros_like(parameter)
    batch = Collator(reasoner, True)([StageItem(example, 2) for example in examples])
    made = batch["batch"]
    widths = (made.prompts.input_ids.shape[1], 1, 1, made.text.ids.shape[1])

    def run() -> None:
        with checkpointed(reasoner.backbone) if checkpointing else nullcontext():
            objective(**batch)["loss"].backward()

    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        run()
    with Ledger() as ledger:
        run()
    return Step(4, widths, checkpointing), ledger.peak, counter.get_total_flops()


@pytest.mark.slow
@pytest.mark.parametrize("checkpointing", [False, True])
def test_counts_are_those_of_a_step_that_runs(checkpointing):
    config = little(gradient_checkpointing=checkpointing)
    step, peak, flops = real_step(config, checkpointing)
    drawn = blueprint(config, RECIPES)
    assert sum(operations(drawn.backbone, config.plan, step)) == pytest.approx(flops, rel=0.03)
    assert peak_bytes(drawn.backbone, config.plan, step) == pytest.approx(peak, rel=0.15)


@pytest.mark.slow
def test_what_grows_with_depth_is_carried_on_in_a_straight_line():
    config = little()
    estimate = Estimate(config, RECIPES, 1)
    step = Step(4, (40, 1, 1, 20), checkpointing=False)
    for count in (
        lambda drawn: operations(drawn.backbone, config.plan, step),
        lambda drawn: [peak_bytes(drawn.backbone, config.plan, step)],
    ):
        assert estimate._at_depth(count) == pytest.approx(count(estimate.drawn), rel=0.02)


def test_states_are_those_of_a_training_that_runs():
    config = little(gradient_checkpointing=False)
    reasoner = tiny_reasoner(config.plan, config.init)
    parameters = list(reasoner.backbone.model.parameters())
    with Ledger() as ledger:
        for parameter in parameters:
            parameter.grad = torch.zeros_like(parameter)
        gradients = ledger.bytes
        optimizer = torch.optim.AdamW(parameters)
        optimizer.step()
        states = ledger.bytes - gradients
    estimate = Estimate(replace(config, freeze_vision=False), RECIPES, 1)
    told = estimate.states("ZeRO-2")
    assert told["gradients"] == pytest.approx(gradients, rel=0.01)
    assert told["optimizer"] == pytest.approx(states, rel=0.01)
    held = sum(p.numel() * p.element_size() for p in parameters)
    assert estimate.states("DDP")["weights"] == held


@pytest.mark.slow
def test_shards_are_smaller_the_more_gpus_there_are():
    config = replace(read_config(RECIPES / "qwen2vl_m3cot.yaml"))
    few, many = (Estimate(config, RECIPES, gpus) for gpus in (2, 4))
    for engine in ("FSDP", "ZeRO-2"):
        assert sum(many.states(engine).values()) < sum(few.states(engine).values())
    assert many.states("DDP") == few.states("DDP")


def test_what_is_nowhere_is_named(tmp_path):
    with pytest.raises(UserError, match=r"reads how long the examples of 'm3kot' are in .*m3cot"):
        lengths_of("m3kot", RECIPES)
    (tmp_path / "lengths").mkdir()
    (tmp_path / "lengths" / "mine.json").write_text('{"examples": 3}')
    with pytest.raises(UserError, match="the field 'image' is missing"):
        lengths_of("some/mine", tmp_path)


@pytest.mark.parametrize("name", ["ddp", "fsdp", "zero2"])
def test_accelerate_reads_the_engines_files(name):
    path = RECIPES / "accelerate" / f"{name}.yaml"
    config = load_config_from_file(str(path))
    assert config.num_processes == 4
    assert set(yaml.safe_load(path.read_text())) <= set(vars(config)) | {"deepspeed_config"}

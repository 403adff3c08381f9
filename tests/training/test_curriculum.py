"""Whole trainings: what moves, what is learned, and that a killed one ends as any other."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from latentlab.checkpoint import load, save
from latentlab.data import Benchmark, BenchmarkConfig, Example, export
from latentlab.errors import UserError
from latentlab.files import held
from latentlab.prompts import prompt_format
from latentlab.reasoning.plan import LatentPlan
from latentlab.study.provenance import checkpoint_hash
from latentlab.training import curriculum
from latentlab.training.config import LoraConfig, StageConfig, TrainConfig
from latentlab.training.curriculum import train
from latentlab.training.recipes import PLANS
from latentlab.training.stage_data import Collator
from latentlab.training.tiny import tiny_reasoner

ADAPTED = {"lora": LoraConfig(rank=4), "stage": {"muon_learning_rate": None}}


class Killed(BaseException):
    """What no handler catches, as little as it would a signal."""


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load(str(folder)).backbone.model.state_dict()


def kill_at(monkeypatch, batch: int) -> None:
    """Let a process die when it prepares its batch of this number; two more are tried before."""
    made, prepare = [], Collator.__call__

    def prepare_or_die(self, items):
        made.append(items)
        if len(made) == batch + 2:
            raise Killed
        return prepare(self, items)

    monkeypatch.setattr(Collator, "__call__", prepare_or_die)


@pytest.fixture(scope="module")
def whole(short, tmp_path_factory) -> Path:
    """A training that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    train(short(), folder)
    return folder


@pytest.fixture(scope="module")
def whole_adapted(short, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("adapted") / "run"
    train(short(**ADAPTED), folder)
    return folder


# A stage has five updates and a checkpoint after the second, the fourth and the fifth.
@pytest.mark.parametrize("batch", [2, 4, 8, 10])
def test_a_killed_training_ends_in_the_same_weights(
    batch, short, whole, timeless, tmp_path, monkeypatch
):
    folder = tmp_path / "run"
    with monkeypatch.context() as patched, pytest.raises(Killed):
        kill_at(patched, batch)
        train(short(), folder)
    assert not (folder / "final").exists()
    train(short(), folder)
    assert checkpoint_hash(folder / "final") == checkpoint_hash(whole / "final")
    assert timeless(folder) == timeless(whole)


# Losses are logged after the third and the fifth update, in the middle of what a checkpoint keeps.
@pytest.mark.parametrize("batch", [3, 5])
def test_a_killed_training_logs_the_losses_of_an_uninterrupted_one(
    batch, short, timeless, tmp_path, monkeypatch
):
    whole, folder = tmp_path / "whole", tmp_path / "run"
    train(short(log_every=3), whole)
    with monkeypatch.context() as patched, pytest.raises(Killed):
        kill_at(patched, batch)
        train(short(log_every=3), folder)
    train(short(log_every=3), folder)
    assert timeless(folder) == timeless(whole)


def test_a_second_training_into_one_folder_is_told(short, tmp_path):
    folder = tmp_path / "run"
    with held(folder), pytest.raises(UserError, match="being written by another run"):
        train(short(), folder)
    assert not folder.exists()


@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_training_killed_while_it_saves_does_not_trust_what_is_half_there(
    call, short, whole, timeless, tmp_path, monkeypatch
):
    """Calls one and two save the stages, the third the finished model."""
    folder, calls, save = tmp_path / "run", [], curriculum.save

    def save_or_die(reasoner, to, *dtype):
        calls.append(to)
        save(reasoner, to, *dtype)
        if len(calls) == call:
            (to / "model.safetensors").write_bytes(b"half of ")
            raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(curriculum, "save", save_or_die)
        train(short(), folder)
    train(short(), folder)
    assert checkpoint_hash(folder / "final") == checkpoint_hash(whole / "final")
    assert timeless(folder) == timeless(whole)
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_a_checkpoint_without_its_last_file_is_passed_over(short, whole, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    with monkeypatch.context() as patched, pytest.raises(Killed):
        kill_at(patched, 5)
        train(short(), folder)
    (checkpoint,) = (folder / "checkpoints" / "explicit").iterdir()
    half = checkpoint.with_name("checkpoint-4")
    half.mkdir()
    (half / "model.safetensors").write_bytes(b"half of ")
    train(short(), folder)
    assert checkpoint_hash(folder / "final") == checkpoint_hash(whole / "final")


# The sixth batch is the first of the second stage, which then begins once more.
@pytest.mark.parametrize("batch", [4, 6])
def test_adapters_survive_a_kill(batch, short, whole_adapted, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    with monkeypatch.context() as patched, pytest.raises(Killed):
        kill_at(patched, batch)
        train(short(**ADAPTED), folder)
    train(short(**ADAPTED), folder)
    assert checkpoint_hash(folder / "final") == checkpoint_hash(whole_adapted / "final")


def test_a_resumed_training_goes_on_counting_time(short, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    with monkeypatch.context() as patched, pytest.raises(Killed):
        kill_at(patched, 5)
        train(short(), folder)
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    edited = [json.loads(line) | {"seconds": 1000.0, "cpu_seconds": 500.0} for line in lines]
    text = "".join(json.dumps(line) + "\n" for line in edited)
    (folder / "metrics.jsonl").write_text(text + '{"stage": "expl')
    train(short(), folder)
    metrics = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    ends = [line for line in metrics if "held_out" in line]
    assert 1000 < ends[0]["seconds"] < 1060 and 500 < ends[0]["cpu_seconds"] < 560
    assert ends[1]["seconds"] < 60


def test_a_finished_training_is_left_alone(short, whole, monkeypatch):
    before = {path: path.stat().st_mtime_ns for path in whole.rglob("*")}
    monkeypatch.setattr(curriculum, "_run_stage", None)
    assert train(short(), whole) == whole / "final"
    assert {path: path.stat().st_mtime_ns for path in whole.rglob("*")} == before


def test_a_folder_of_something_else_is_refused(short, whole, tmp_path):
    with pytest.raises(UserError, match="holds another training"):
        train(short(seed=1), whole)
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(UserError, match="holds no training"):
        train(short(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(UserError, match="holds no training"):
        train(short(), tmp_path / "thesis.tex")


def test_a_finished_model_says_where_it_is_from(short, whole):
    run = json.loads((whole / "final" / "run.json").read_text())
    assert run["command"] == "train"
    assert run["config"]["name"] == "little"
    assert run["checkpoints"] == {"little": checkpoint_hash(whole / "final")}
    assert load(str(whole / "final")).plan == short().plan
    assert load(str(whole / "explicit")).plan.steps == 0
    assert not (whole / "checkpoints").exists()


@pytest.mark.parametrize("name", PLANS)
def test_every_weight_of_every_organism_is_trained(name, short, sizes, tmp_path):
    plan = PLANS[name]
    stage = {"rationale": name != "no_cot", "data": "benchmark:hops=4+1"}
    config = short(stage, plan=plan, eval_data="benchmark:hops=4+1")
    start = tiny_reasoner(plan, sizes, config.seed).backbone.model.state_dict()
    for stage_config, before in zip(config.stages, (start, None), strict=True):
        before = weights(tmp_path / "run" / "explicit") if before is None else before
        train(config, tmp_path / "run")
        after = weights(tmp_path / "run" / stage_config.name)
        still = [key for key in before if torch.equal(before[key], after[key])]
        assert not still


def test_what_is_frozen_stays_bit_for_bit(short, sizes, tmp_path):
    config = short(freeze_vision=True)
    before = tiny_reasoner(config.plan, sizes, config.seed).backbone.model.state_dict()
    after = weights(train(config, tmp_path / "run"))
    still = {key for key in before if torch.equal(before[key], after[key])}
    assert still == {key for key in before if ".visual." in key}


def test_adapters_move_the_projections_and_nothing_else(short, sizes, whole_adapted):
    before = tiny_reasoner(short().plan, sizes).backbone.model.state_dict()
    after = weights(whole_adapted / "final")
    assert before.keys() == after.keys()
    moved = {key for key in before if not torch.equal(before[key], after[key])}
    assert moved == {key for key in before if key.endswith("_proj.weight")}


@pytest.fixture(scope="module")
def own_data(tmp_path_factory) -> Path:
    """Eight examples of one's own, in one folder."""
    examples = Benchmark(BenchmarkConfig(hops=(1, 2), domains=("relation",), size=8))
    return export(examples, tmp_path_factory.mktemp("own") / "data")


def test_eight_examples_of_own_data_are_learned_by_heart(
    own_data, sizes, timeless, tmp_path, capsys
):
    data = str(own_data)
    shared = {"updates": 40, "batch_size": 8, "data": data, "warmup": 5}
    stages = (StageConfig("explicit", **shared), StageConfig("latent", latent_steps=1, **shared))
    plan = LatentPlan(steps=1, k=1, gradient="through")
    init = replace(sizes, hidden=64, feed_forward=128)
    train(TrainConfig("heart", stages, plan, init, eval_data=data, log_every=10), tmp_path / "run")
    metrics = timeless(tmp_path / "run")
    losses = [line["loss"] for line in metrics if "loss" in line]
    assert losses[-1] < 0.25 * losses[0]
    assert metrics[-1]["held_out"]["all"]["accuracy"] == 1
    assert set(metrics[-1]["held_out"]) == {"all", "relation/1", "relation/2"}
    assert "the very examples that are trained on" in capsys.readouterr().err


def bare(name: str, **changes) -> Example:
    return Example(
        name, "Follow two hops from the six.", ("seven", "six"), "seven", None, **changes
    )


def test_text_alone_trains_without_patches_and_is_refused_with_them(short, tmp_path):
    data = str(
        export([bare(f"t{i}", rationale=("six", "five")) for i in range(4)], tmp_path / "data")
    )
    config = short({"data": data}, plan=LatentPlan(steps=2, k=0), eval_data=data)
    assert load(str(train(config, tmp_path / "text"))).plan.k == 0
    metrics = (tmp_path / "text" / "metrics.jsonl").read_text().splitlines()
    assert set(json.loads(metrics[-1])["held_out"]) == {"all", "data"}
    for specs in ({"data": data}, data), ({}, data), ({"data": data}, "benchmark"):
        with pytest.raises(UserError, match=r"t\d has no image, but the plan .* set k=0"):
            train(short(specs[0], eval_data=specs[1]), tmp_path / "patches")
    assert not (tmp_path / "patches").exists()


def test_a_training_may_word_its_prompts_as_published_and_saves_the_wording(short, sizes, tmp_path):
    plain = tiny_reasoner(LatentPlan(steps=0, k=0), sizes)
    save(plain, tmp_path / "plain")
    plan = LatentPlan(steps=1, k=1)
    config = short(plan=plan, init=str(tmp_path / "plain"), prompts="m3cot-training")
    trained = load(str(train(config, tmp_path / "run")))
    assert trained.prompter.format == prompt_format("m3cot-training")
    with pytest.raises(UserError, match="no prompt format is called 'm3cot'"):
        train(replace(config, prompts="m3cot"), tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_data_that_lacks_what_a_stage_needs_is_refused_at_once(short, tmp_path):
    data = str(export([bare("t0"), bare("t1")], tmp_path / "data"))
    plan = LatentPlan(steps=0, k=0)
    with pytest.raises(UserError, match=r"no rationales to train on; rationale=false"):
        train(short({"data": data}, plan=plan), tmp_path / "run")
    with pytest.raises(UserError, match="no source or folder"):
        train(short({"data": "benchmrk"}), tmp_path / "run")
    with pytest.raises(UserError, match="no source or folder"):
        train(short(eval_data="benchmrk"), tmp_path / "run")
    with pytest.raises(UserError, match=r"k=9 x 2 steps needs 18 patches, but .* has 16"):
        train(short(plan=LatentPlan(steps=2, k=9)), tmp_path / "run")
    with pytest.raises(UserError, match="report_to: abacus is not supported"):
        train(short(report_to=("abacus",)), tmp_path / "run")
    with pytest.raises(UserError, match="no model or folder is called 'abacus'"):
        train(short(init="abacus"), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    train(short({"data": data, "rationale": False}, plan=plan, eval_data=data), tmp_path / "run")


def test_a_loss_that_is_no_number_ends_the_training(short, tmp_path):
    config = short({"learning_rate": 1e30, "muon_learning_rate": None, "warmup": 0})
    with pytest.raises(UserError, match=r"little explicit: the loss is \w+ by update \d; lower"):
        train(config, tmp_path / "run")


def test_a_device_that_is_not_there_is_refused(short, tmp_path):
    with pytest.raises(UserError, match="--device abacus cannot be used"):
        train(short(), tmp_path / "run", "abacus")


def test_a_killed_training_in_groups_ends_in_the_same_weights(
    short, timeless, tmp_path, monkeypatch
):
    mixed = {"stage": {"data": "benchmark:hops=1+4,size=22"}, "group_by_length": True}
    whole, folder = tmp_path / "whole", tmp_path / "run"
    train(short(**mixed), whole)
    with monkeypatch.context() as patched, pytest.raises(Killed):
        kill_at(patched, 9)
        train(short(**mixed), folder)
    train(short(**mixed), folder)
    assert checkpoint_hash(folder / "final") == checkpoint_hash(whole / "final")
    assert timeless(folder) == timeless(whole)
    waiting = [json.loads(line) for line in (whole / "metrics.jsonl").read_text().splitlines()]
    assert all(0 <= line["waiting"] <= 1 for line in waiting if "loss" in line)

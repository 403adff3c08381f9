"""Trainings as files: what is written reads back equal, and each mistake is one line."""

import pytest
import yaml

from latentlab.errors import UserError
from latentlab.training.config import LoraConfig, StageConfig, TrainConfig, read_config
from latentlab.training.recipes import PLANS, base_recipe, recipe
from latentlab.training.tiny import TinyConfig

LEAST = {"name": "mine", "plan": {"steps": 0}, "stages": [{"name": "one", "updates": 2}]}


@pytest.fixture
def read(tmp_path):
    """A function that writes settings, or raw text, as a file and reads it as a training."""

    def read(values: object) -> TrainConfig:
        path = tmp_path / "mine.yaml"
        path.write_text(values if isinstance(values, str) else yaml.safe_dump(values))
        return read_config(path)

    return read


def with_stage(**settings: object) -> dict[str, object]:
    return {**LEAST, "stages": [{"name": "one", "updates": 2, **settings}]}


@pytest.mark.parametrize("name", ["base", *PLANS])
def test_every_recipe_survives_the_round_trip(name, read):
    config = base_recipe(3) if name == "base" else recipe(name, "runs/base/final", 3)
    assert read(config.to_dict()) == config


def test_settings_of_every_kind_survive_the_round_trip(read, short):
    plan = PLANS["gaze"].replace(select_layers=(1, 2), stride=4)
    lora = LoraConfig(rank=2)
    stage = {"muon_learning_rate": None}
    config = short(stage, plan=plan, lora=lora, report_to=("tensorboard",), weight_decay=1e-12)
    assert read(config.to_dict()) == config


def test_what_a_file_leaves_out_has_its_default(read):
    config = read(LEAST)
    assert config.init == TinyConfig()
    assert (config.seed, config.lora, config.stages[0].batch_size) == (0, None, 64)


def test_numbers_that_yaml_takes_for_texts_are_numbers(read):
    stage = read("name: a\nplan: {steps: 0}\nstages: [{name: b, updates: 1, learning_rate: 5e-4}]")
    assert stage.stages[0].learning_rate == 5e-4
    assert type(read(with_stage(learning_rate=1)).stages[0].learning_rate) is float


BLOCK = {"steps": 0, "start_token": "one", "end_token": "two"}

MISTAKES = {
    "are trained with lead=0 and length='fixed'": {**LEAST, "plan": {**BLOCK, "lead": 2}},
    "unknown field 'sed'; did you mean 'seed'": {**LEAST, "sed": 1},
    "stages 1: unknown field 'update'; did you mean 'updates'": with_stage(update=1),
    "line 3: plan: unknown field 'step'; did you mean 'steps'": {**LEAST, "plan": {"step": 1}},
    "init: unknown field 'hiden'; did you mean 'hidden'": {**LEAST, "init": {"hiden": 1}},
    "the field 'stages' is missing": {"name": "mine"},
    "stages 1: the field 'name' is missing": {**LEAST, "stages": [{"updates": 2}]},
    "give a positive number of either updates or epochs": {**LEAST, "stages": [{"name": "one"}]},
    "number of either updates or epochs": with_stage(epochs=2),
    "updates is -1; give a whole number from 0": with_stage(updates=-1),
    "batch_size=6 is no multiple of 1 processes x 4": with_stage(batch_size=6, device_batch_size=4),
    "device_batch_size is 0; give a whole number from 1": with_stage(device_batch_size=0),
    "dtype is 'float8'; did you mean 'float32'": {**LEAST, "dtype": "float8"},
    "has no stages": {**LEAST, "stages": []},
    "stages is 'one'; give a list": {**LEAST, "stages": "one"},
    "stages 1 is 'one'; give values by name": {**LEAST, "stages": ["one"]},
    "lora is 4; give values by name": {**LEAST, "lora": 4},
    "it holds 'just words'; give values by name": "just words",
    "cannot be read as YAML": "name: [",
    "updates is 'many'; give a whole number": with_stage(updates="many"),
    "updates is 2.5; give a whole number": with_stage(updates=2.5),
    "updates is true; give a whole number": with_stage(updates=True),
    "learning_rate is 'high'; give a number": with_stage(learning_rate="high"),
    "rationale is 'no way'; give true or false": with_stage(rationale="no way"),
    "name is 7; give a text": {**LEAST, "name": 7},
    "report_to 1 is 4; give a text": {**LEAST, "report_to": [4]},
    "save_dtype is 'float23'; did you mean 'float32'": {**LEAST, "save_dtype": "float23"},
    "batch_size is 0; give a whole number from 1": with_stage(batch_size=0),
    "learning_rate is 0; give a number above 0": with_stage(learning_rate=0),
    "learning_rate is nan; give a finite number": with_stage(learning_rate=float("nan")),
    "learning_rate is -inf; give a finite number": with_stage(learning_rate=-float("inf")),
    "decay is nan; give a finite number": with_stage(decay=float("nan")),
    "warmup is -1; give a whole number from 0": with_stage(warmup=-1),
    "decay is 2; give a number up to 1": with_stage(decay=2),
    "replay needs an earlier stage": with_stage(replay=0.5),
    "'final' cannot name a folder": {**LEAST, "stages": [{"name": "final", "updates": 1}]},
    "'a/b' cannot name a folder": {**LEAST, "stages": [{"name": "a/b", "updates": 1}]},
    "two stages of one name": {**LEAST, "stages": LEAST["stages"] * 2},
    "stage 'one' has 1 latent steps, but the plan has 0": with_stage(latent_steps=1),
    "stage 'one' has 0 latent steps, but the plan has 2": {**LEAST, "plan": {"steps": 2}},
    "eval_examples is 0; give a whole number from 1": {**LEAST, "eval_examples": 0},
    "seed is -1; give a whole number from 0": {**LEAST, "seed": -1},
    "seed is 18446744073709551616; give": {**LEAST, "seed": 2**64},
    "lora.rank is 0; give a whole number from 1": {**LEAST, "lora": {"rank": 0}},
    "adapters are trained with AdamW alone": {**LEAST, "lora": {}},
    "hidden=100 is no multiple of 8 x 4 heads": {**LEAST, "init": {"hidden": 100}},
    "vision_hidden=40 is no multiple of 16": {**LEAST, "init": {"vision_hidden": 40}},
}


@pytest.mark.parametrize("message", MISTAKES)
def test_a_mistake_is_named(message, read):
    with pytest.raises(UserError) as caught:
        read(MISTAKES[message])
    assert message in str(caught.value)


def test_a_missing_file_suggests_its_neighbours(read, tmp_path):
    read(LEAST)
    with pytest.raises(UserError, match=r"mime\.yaml; did you mean 'mine\.yaml'\?"):
        read_config(tmp_path / "mime.yaml")
    with pytest.raises(UserError, match="cannot be read: it is a folder"):
        read_config(tmp_path)


@pytest.mark.parametrize("processes, at_once, passes", [(1, None, 1), (4, None, 1), (2, 4, 2)])
def test_the_batch_is_that_of_all_processes_and_passes(processes, at_once, passes):
    stage = StageConfig("s", updates=1, batch_size=16, device_batch_size=at_once)
    assert stage.accumulation(processes) == passes
    with pytest.raises(UserError, match="no multiple of 3 processes"):
        stage.accumulation(3)

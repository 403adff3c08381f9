"""Organisms whose trainings are killed at any moment: finished folders only, and the same end."""

import json
import os
import random
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file

from latentlab.organisms import run
from latentlab.organisms.config import OrganismsConfig
from latentlab.study.provenance import checkpoint_hash
from latentlab.training import recipes
from latentlab.training.config import TrainConfig
from latentlab.training.tiny import TinyConfig

SIZES = TinyConfig(hidden=32, layers=2, heads=2, feed_forward=64, vision_layers=1, vision_hidden=32)
KILLS = 4


def brief(config: TrainConfig) -> TrainConfig:
    """A recipe with smaller and fewer steps, and its name, plan and data as ever."""
    small = {"updates": 3, "batch_size": 4}
    first, *_, last = (replace(stage, **small) for stage in config.stages)
    few = {"stages": (first, last), "eval_examples": 4, "checkpoint_every": 2, "log_every": 1}
    return replace(config, **few, **({} if isinstance(config.init, str) else {"init": SIZES}))


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Recipes that take seconds."""
    monkeypatch.setattr(run, "base_recipe", lambda seed: brief(recipes.base_recipe(seed)))
    monkeypatch.setattr(run, "recipe", lambda *of: brief(recipes.recipe(*of)))


def organisms(out: Path) -> None:
    run.main(OrganismsConfig(names=("gaze",), out=out))


def killed(out: Path, seconds: float) -> None:
    """Let a process train the organisms, and end it after some time."""
    child = os.fork()
    if child == 0:
        organisms(out)
        os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def check_finished(out: Path) -> None:
    """Assert that each folder that can be seen as a model is one, and logs are of whole lines."""
    stages = {f.name for f in out.glob("*/*") if f.is_dir() and f.name[0] != "."} - {"checkpoints"}
    assert stages <= {"shapes", "handwriting", "stage-0", "stage-3-last", "final"}
    for model in (f for name in stages for f in out.glob(f"*/{name}")):
        assert load_file(model / "model.safetensors")
        assert {"config.json", "latentlab.json"} <= {path.name for path in model.iterdir()}
    for log in out.glob("*/metrics.jsonl"):
        assert all(map(json.loads, log.read_text().splitlines()))


def timed(field: str) -> bool:
    """Whether a field of a log says how long something took."""
    return "seconds" in field or field == "waiting"


def ends(out: Path) -> dict[str, object]:
    """What trainings left, without their times."""
    logs = {log.parent.name: log.read_text().splitlines() for log in out.glob("*/metrics.jsonl")}
    timeless = {
        name: [{k: v for k, v in json.loads(line).items() if not timed(k)} for line in lines]
        for name, lines in logs.items()
    }
    return {"logs": timeless, "models": {f: checkpoint_hash(out / f / "final") for f in logs}}


@pytest.mark.slow
def test_organisms_that_are_killed_end_as_if_nothing_had_been(tmp_path):
    begun = time.monotonic()
    organisms(tmp_path / "whole")
    took = time.monotonic() - begun
    moments = random.Random(0)
    for _ in range(KILLS):
        killed(tmp_path / "killed", moments.uniform(0.02, 0.6) * took)
        check_finished(tmp_path / "killed")
    organisms(tmp_path / "killed")
    assert ends(tmp_path / "killed") == ends(tmp_path / "whole")
    assert len(ends(tmp_path / "whole")["models"]) == 2
    assert not list((tmp_path / "killed").rglob(".*"))

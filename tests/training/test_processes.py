"""Two processes train what one does, and go on where any number of them was killed."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from safetensors.torch import load_file

import latentlab
from latentlab.errors import UserError
from latentlab.training.config import read_config
from latentlab.training.curriculum import train
from latentlab.training.stage_data import Collator
from latentlab.training.trainer import FSDP_WEIGHTS

LAST = 8
"""Batch at whose making a training dies: after two that are rehearsed, in the second stage, whose
first update is kept by then."""

SOURCE = Path(latentlab.__file__).parent.parent
TOLERANCE = 1e-5
"""Of losses and weights in float32: sums are taken in another order."""

SHARED = {
    "batch_size": 4,
    "warmup": 1,
    "learning_rate": 1e-3,
    "muon_learning_rate": None,
    "data": "benchmark:hops=4+1",
}
FILE = {
    "name": "little",
    "init": {
        "hidden": 32,
        "layers": 2,
        "heads": 2,
        "feed_forward": 64,
        "vision_layers": 1,
        "vision_hidden": 32,
    },
    "plan": {"steps": 2, "k": 1, "gradient": "through"},
    "stages": [
        {"name": "explicit", "updates": 2, **SHARED},
        {"name": "latent", "updates": 4, "latent_steps": 2, "replay": 0.5, **SHARED},
    ],
    "eval_examples": 5,
    "checkpoint_every": 1,
    "log_every": 1,
}
DRIVER = """
import os, signal, sys

if "FSDP_VERSION" in os.environ:  # accelerate offers it on GPUs alone: take CPUs for a kind of them
    import accelerate.state

    class Kinds:
        kinds = accelerate.state.DistributedType

        def __getattr__(self, name):
            return getattr(self.kinds, "MULTI_CPU" if name == "MULTI_MLU" else name)

    accelerate.state.DistributedType = Kinds()

from latentlab.commands import start
from latentlab.training.stage_data import Collator

made, prepare, last = [], Collator.__call__, int(os.environ["LAST"])


def prepare_or_die(self, items):
    made.append(items)
    if len(made) == last:
        os.kill(os.getpid(), signal.SIGKILL)
    return prepare(self, items)


Collator.__call__ = prepare_or_die
sys.exit(start("train", sys.argv[1:]))
"""


class Killed(BaseException):
    """What no handler catches, as little as it would a signal."""


@pytest.fixture
def config(tmp_path) -> Path:
    """The training's file, and beside it a program that dies at its last batch."""
    (tmp_path / "driver.py").write_text(DRIVER)
    path = tmp_path / "little.yaml"
    path.write_text(yaml.safe_dump(FILE))
    return path


def launch_two(
    config: Path, out: str, last: int = 0, engine: dict[str, str] | None = None
) -> subprocess.CompletedProcess:
    """Train in two processes, which die when they prepare their batch of the number `last`."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2"]
    return subprocess.run(
        [*launcher, "driver.py", config, "--out", out, "--device", "cpu"],
        cwd=config.parent,
        env={
            **os.environ,
            **(engine or {}),
            "PYTHONPATH": str(SOURCE),
            "LAST": str(last),
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
    )


def assert_same(one: Path, other: Path, timeless) -> None:
    """Losses, held-out accuracies and weights of two trainings are the same."""
    for a, b in zip(timeless(one), timeless(other), strict=True):
        assert a.keys() == b.keys() and (a["stage"], a["update"]) == (b["stage"], b["update"])
        assert a.get("loss", 0) == pytest.approx(b.get("loss", 0), abs=TOLERANCE)
        assert a.get("held_out") == b.get("held_out")
    weights, others = (load_file(folder / "final" / "model.safetensors") for folder in (one, other))
    assert weights.keys() == others.keys()
    assert max(float((weights[key] - others[key]).abs().max()) for key in weights) < TOLERANCE


@pytest.mark.slow
def test_two_processes_train_what_one_does(config, tmp_path, timeless, monkeypatch):
    """Rationales differ in length, so that a mean of means would not be that over tokens.

    One training is begun by one process and ended by two, one the other way round.
    """
    one, grown, shrunk = (tmp_path / name for name in ("one", "grown", "shrunk"))
    train(read_config(config), one, "cpu")
    made, prepare = [], Collator.__call__

    def prepare_or_die(self, items):
        made.append(items)
        if len(made) == LAST:
            raise Killed
        return prepare(self, items)

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(Collator, "__call__", prepare_or_die)
        train(read_config(config), grown, "cpu")
    assert (grown / "checkpoints" / "latent").is_dir()
    done = launch_two(config, "grown")
    assert done.returncode == 0, done.stderr
    assert ", each of 2 processes x 1 passes, from " in done.stderr
    assert done.stderr.count("latent update 4/4") == 1  # the first process alone speaks
    assert_same(one, grown, timeless)

    assert launch_two(config, "shrunk", LAST).returncode != 0
    assert (shrunk / "checkpoints" / "latent").is_dir()
    train(read_config(config), shrunk, "cpu")
    assert_same(one, shrunk, timeless)


@pytest.mark.slow
def test_shards_of_fsdp_train_what_the_whole_model_does(config, tmp_path, timeless):
    """The supplied file's settings, as accelerate hands them on; adapters, checkpointed layers."""
    file = SOURCE / "experiments" / "recipes" / "accelerate" / "fsdp.yaml"
    given = yaml.safe_load(file.read_text())["fsdp_config"]
    engine = {k.upper(): str(v).lower() if v in (True, False) else str(v) for k, v in given.items()}
    engine |= {"ACCELERATE_USE_FSDP": "true", "ACCELERATE_USE_CPU": "true"}
    adapted = {"lora": {"rank": 4, "dropout": 0.0}, "gradient_checkpointing": True}
    config.write_text(yaml.safe_dump({**FILE, **adapted}))
    train(read_config(config), tmp_path / "whole", "cpu")
    assert launch_two(config, "shards", LAST, engine).returncode != 0
    (checkpoint,) = (tmp_path / "shards" / "checkpoints" / "latent").glob("checkpoint-*")
    assert (checkpoint / FSDP_WEIGHTS).is_file()
    with pytest.raises(UserError, match="was written with FSDP; go on as it was begun"):
        train(read_config(config), tmp_path / "shards", "cpu")
    done = launch_two(config, "shards", engine=engine)
    assert done.returncode == 0, done.stderr
    assert_same(tmp_path / "whole", tmp_path / "shards", timeless)


def test_accumulated_passes_train_what_one_pass_does(config, tmp_path, timeless):
    once = read_config(config)
    stages = tuple(replace(stage, device_batch_size=1) for stage in once.stages)
    train(once, tmp_path / "once", "cpu")
    train(replace(once, stages=stages), tmp_path / "often", "cpu")
    assert_same(tmp_path / "once", tmp_path / "often", timeless)


def test_latents_are_not_exchanged_within_one_example(config, tmp_path):
    once = read_config(config)
    changes = {"device_batch_size": 1, "conditions": ("exchanged",)}
    stages = (once.stages[0], replace(once.stages[1], **changes))
    with pytest.raises(UserError, match="latents are exchanged within what a process computes"):
        train(replace(once, stages=stages), tmp_path / "run", "cpu")

"""Two processes train what one does, and go on where any number of them was killed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from safetensors.torch import load_file

import latentlab

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


@pytest.fixture
def launch(tmp_path):
    """A function that trains in some processes; the first to prepare its last batch is killed."""
    (tmp_path / "driver.py").write_text(DRIVER)

    def run(out: str, processes: int, last: int = 0, **changes) -> subprocess.CompletedProcess:
        path = tmp_path / "little.yaml"
        path.write_text(yaml.safe_dump({**FILE, **changes}))
        torchrun = ["-m", "torch.distributed.run", f"--nproc-per-node={processes}"]
        command = [sys.executable, *(torchrun if processes > 1 else []), tmp_path / "driver.py"]
        return subprocess.run(
            [*command, path, "--out", tmp_path / out, "--device", "cpu"],
            env={**os.environ, "PYTHONPATH": str(SOURCE), "LAST": str(last), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )

    return run


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
def test_two_processes_train_what_one_does(launch, tmp_path, timeless):
    """Rationales differ in length, so that a mean of means would not be that over tokens."""
    assert launch("one", 1).returncode == 0
    done = launch("two", 2)
    assert done.returncode == 0, done.stderr
    assert "latent: 4 updates, each of 2 processes x 1 passes" in done.stderr
    assert done.stderr.count("latent update 4/4") == 1  # the first process alone speaks
    assert_same(tmp_path / "one", tmp_path / "two", timeless)
    # Eight batches are prepared before the last but one: two are rehearsed.
    assert launch("grown", 1, last=7).returncode != 0
    assert (tmp_path / "grown" / "checkpoints" / "latent").is_dir()
    assert launch("grown", 2).returncode == 0
    assert_same(tmp_path / "one", tmp_path / "grown", timeless)
    assert launch("shrunk", 2, last=7).returncode != 0
    assert (tmp_path / "shrunk" / "checkpoints" / "latent").is_dir()
    assert launch("shrunk", 1).returncode == 0
    assert_same(tmp_path / "one", tmp_path / "shrunk", timeless)


@pytest.mark.slow
def test_a_batch_that_cannot_be_dealt_out_is_told_once(launch, tmp_path):
    stages = [{"name": "s", "updates": 2, "latent_steps": 2, **SHARED, "batch_size": 3}]
    done = launch("odd", 2, stages=stages)
    assert done.returncode != 0
    told = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(told) == 1 and "batch_size=3 is no multiple of 2 processes" in told[0]

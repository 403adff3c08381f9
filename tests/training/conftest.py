"""Trainings that take a second: models of two narrow layers, a handful of updates."""

import gc
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan
from latentlab.training.config import StageConfig, TrainConfig
from latentlab.training.tiny import TinyConfig, tiny_reasoner

SIZES = TinyConfig(hidden=32, layers=2, heads=2, feed_forward=64, vision_layers=1, vision_hidden=32)
TIMES = ("seconds", "cpu_seconds", "waiting")


@pytest.fixture(scope="session", autouse=True)
def _frozen() -> None:
    """Keep the trainer's garbage collection off all that was imported: it is most of the time."""
    gc.freeze()


@pytest.fixture(scope="session")
def sizes() -> TinyConfig:
    return SIZES


@pytest.fixture
def untrained() -> Callable[[LatentPlan], Reasoner]:
    """A function that makes an untrained model with a plan, the same at every call."""

    def make(plan: LatentPlan) -> Reasoner:
        return tiny_reasoner(plan, SIZES)

    return make


@pytest.fixture(scope="session")
def short() -> Callable[..., TrainConfig]:
    """A function that makes a training of two stages, explicit and latent, on four hops."""

    def make(stage: dict[str, Any] | None = None, **changes: Any) -> TrainConfig:
        plan = changes.pop("plan", LatentPlan(steps=2, k=1, gradient="through"))
        shared = {"batch_size": 4, "warmup": 2, "learning_rate": 1e-3, **(stage or {})}
        latent = {"latent_steps": plan.steps, "replay": 0.5 if plan.steps else 0.0}
        stages = (
            StageConfig("explicit", updates=5, **shared),
            StageConfig("latent", updates=5, **latent, **shared),
        )
        settings = {"eval_examples": 8, "checkpoint_every": 2, "log_every": 1, "init": SIZES}
        return TrainConfig(
            **{"name": "little", "stages": stages, "plan": plan, **settings, **changes}
        )

    return make


@pytest.fixture(scope="session")
def timeless() -> Callable[[Path], list[dict[str, Any]]]:
    """A function that reads a training's log without the times, which no two runs share."""

    def read(folder: Path) -> list[dict[str, Any]]:
        lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
        return [{key: line[key] for key in line if key not in TIMES} for line in lines]

    return read

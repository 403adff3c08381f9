"""What a training is: a model to start from, a plan to end with, and stages on the way.

A `TrainConfig` is one YAML file. It is also what is saved beside the weights, so that every trained
model says how to make it again.
"""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from latentlab.errors import UserError, did_you_mean
from latentlab.reasoning.plan import LatentPlan
from latentlab.training.tiny import TinyConfig


@dataclass(frozen=True)
class LoraConfig:
    """Low-rank adapters on the decoder's projections, merged into the weights when saved."""

    rank: int = 64
    """Rank (published: 64)."""

    alpha: float = 16.0
    """Scale (published: 16)."""

    dropout: float = 0.05
    """Dropout in front of the adapters (published: 0.05)."""


@dataclass(frozen=True)
class StageConfig:
    """One stage of the curriculum: how many steps are latent, on what data, for how long."""

    name: str
    """Name of the stage, for logs and checkpoints."""

    updates: int
    """Optimizer updates."""

    latent_steps: int = 0
    """Rationale steps replaced by latent steps; the others stay explicit."""

    rationale: bool = True
    """Whether the remaining steps are written; without, the answer follows at once (No-CoT)."""

    batch_size: int = 64
    """Examples per update."""

    learning_rate: float = 5e-4
    """Rate of AdamW."""

    muon_learning_rate: float | None = 0.005
    """Rate of Muon on hidden matrices; none trains everything with AdamW."""

    data: str = "benchmark"
    """Data specification (`--data` of every command); the benchmark makes fresh examples."""

    replay: float = 0.0
    """Probability that a batch trains an earlier number of latent steps instead, drawn evenly."""

    warmup: int = 100
    """Updates over which the rate rises."""

    decay: float = 0.3
    """Fraction of the updates, at the end, over which the rate falls to 5 %."""

    def __post_init__(self) -> None:
        """Refuse stages that cannot be run."""
        if self.updates < 1 or self.batch_size < 1:
            raise UserError(f"stage {self.name!r}: updates and batch_size must be positive")
        if not (0 <= self.replay <= 1 and 0 <= self.decay <= 1):
            raise UserError(f"stage {self.name!r}: replay and decay are fractions from 0 to 1")
        if self.replay and not self.latent_steps:
            raise UserError(f"stage {self.name!r}: replay needs an earlier stage to replay")


@dataclass(frozen=True)
class TrainConfig:
    """A whole training."""

    name: str
    """Name of the model."""

    stages: tuple[StageConfig, ...]
    """The curriculum, in order; the optimizer starts afresh at each stage."""

    plan: LatentPlan = field(default_factory=LatentPlan)
    """The plan of the finished model."""

    init: str | TinyConfig = field(default_factory=TinyConfig)
    """Where the weights come from: a checkpoint, or the sizes of a model made from scratch."""

    lora: LoraConfig | None = None
    """Train adapters instead of all weights."""

    freeze_vision: bool = False
    """Keep the vision tower as it is (as published)."""

    seed: int = 0
    """Seed of initial weights, data order and replay."""

    weight_decay: float = 0.01
    """Weight decay of both optimizers."""

    eval_examples: int = 512
    """Held-out examples after each stage."""

    eval_data: str = "benchmark"
    """Data specification of the held-out accuracy."""

    checkpoint_every: int = 100
    """Updates between checkpoints to resume from."""

    log_every: int = 25
    """Updates between logged losses."""

    save_dtype: Literal["float32", "float16", "bfloat16"] = "float32"
    """Precision of the saved weights."""

    report_to: tuple[str, ...] = ()
    """Trackers to report to, as transformers names them (tensorboard, wandb, ...)."""

    def __post_init__(self) -> None:
        """Refuse trainings that contradict themselves."""
        if not self.stages:
            raise UserError(f"training {self.name!r} has no stages")
        names = [stage.name for stage in self.stages]
        if len(set(names)) < len(names):
            raise UserError(f"training {self.name!r} has two stages of one name: {names}")
        for stage in self.stages:
            if stage.latent_steps > self.plan.steps:
                raise UserError(
                    f"stage {stage.name!r} has {stage.latent_steps} latent steps, "
                    f"but the plan has {self.plan.steps}"
                )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for YAML and JSON."""
        values: dict[str, Any] = dataclasses.asdict(self)
        return values


def read_config(path: Path) -> TrainConfig:
    """Read a training from a YAML file.

    Raises:
        UserError: the file is missing or not YAML, or holds unknown or contradictory settings.
    """
    try:
        values = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        near = did_you_mean(path.name, [p.name for p in path.parent.glob("*.yaml")])
        raise UserError(f"no training configuration at {path}; {near}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not valid YAML: {error}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path} must hold settings by name, e.g. 'name: ivtlr'")
    return config_from_dict(values, str(path))


def config_from_dict(values: dict[str, Any], where: str) -> TrainConfig:
    """Build a training from plain values.

    Raises:
        UserError: a setting is unknown, missing or refused.
    """
    values = dict(values)
    if isinstance(values.get("plan"), dict):
        values["plan"] = LatentPlan.from_dict(values["plan"])
    if isinstance(values.get("init"), dict):
        values["init"] = _build(TinyConfig, values["init"], f"{where}: init")
    if isinstance(values.get("lora"), dict):
        values["lora"] = _build(LoraConfig, values["lora"], f"{where}: lora")
    stages = values.get("stages") or ()
    values["stages"] = tuple(
        _build(StageConfig, stage, f"{where}: stage {i}") for i, stage in enumerate(stages, 1)
    )
    values["report_to"] = tuple(values.get("report_to", ()))
    return _build(TrainConfig, values, where)


def _build(cls: Any, values: dict[str, Any], where: str) -> Any:
    """Build a dataclass from a mapping, naming the setting that does not fit."""
    known = {f.name: f for f in dataclasses.fields(cls)}
    for name in values:
        if name not in known:
            raise UserError(f"{where}: unknown setting {name!r}; {did_you_mean(name, known)}")
    for name, f in known.items():
        missing = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        if missing and name not in values:
            raise UserError(f"{where}: the setting {name!r} is missing")
    return cls(**values)

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
from latentlab.training.conditions import Condition
from latentlab.training.settings import build
from latentlab.training.tiny import TinyConfig

CONFIG_FILE = "config.yaml"
"""What a training's folder calls its configuration."""

_TAKEN = ("final", "checkpoints")
"""Folders of a training that are no stage's."""


@dataclass(frozen=True)
class LoraConfig:
    """Low-rank adapters on the decoder's projections, merged into the weights after each stage."""

    rank: int = 64
    """Rank (published: 64)."""

    alpha: float = 16.0
    """Scale (published: 16)."""

    dropout: float = 0.05
    """Dropout in front of the adapters (published: 0.05)."""

    def __post_init__(self) -> None:
        """Refuse adapters that cannot be."""
        if self.rank < 1 or self.alpha <= 0 or not 0 <= self.dropout < 1:
            raise UserError("lora: rank and alpha must be positive, dropout from 0 to below 1")


@dataclass(frozen=True)
class StageConfig:
    """One stage of the curriculum: how many steps are latent, on what data, for how long."""

    name: str
    """Name of the stage, for logs and checkpoints."""

    updates: int = 0
    """Optimizer updates; 0 where `epochs` says how long the stage is."""

    epochs: float = 0.0
    """Passes over the stage's data, for data that has an end."""

    latent_steps: int = 0
    """Rationale steps replaced by latent steps; the others stay explicit."""

    rationale: bool = True
    """Whether the remaining steps are written; without, the answer follows at once (No-CoT)."""

    batch_size: int = 64
    """Examples per update, over all processes and accumulated passes."""

    device_batch_size: int | None = None
    """Examples that one process computes at a time; gradients are accumulated over as many passes
    as the batch then takes. By default a process computes its whole share of the batch at once."""

    learning_rate: float = 5e-4
    """Rate of AdamW."""

    muon_learning_rate: float | None = 0.005
    """Rate of Muon on hidden matrices; null trains everything with AdamW, as adapters need."""

    data: str = "benchmark"
    """Data specification (`--data` of every command). The benchmark makes fresh examples for every
    update unless its size is given; other data is shuffled anew at every pass."""

    replay: float = 0.0
    """Probability that a batch trains an earlier number of latent steps instead, drawn evenly."""

    conditions: tuple[Condition, ...] = ("own",)
    """What batches with latent steps are made to do without (`training.conditions`), drawn evenly
    for each batch."""

    warmup: int = 100
    """Updates over which the rate rises."""

    decay: float = 0.3
    """Fraction of the updates, at the end, over which the rate falls to 5 %."""

    def __post_init__(self) -> None:
        """Refuse stages that cannot be run."""
        stage = f"stage {self.name!r}"
        if Path(self.name).name != self.name or self.name.startswith(".") or self.name in _TAKEN:
            raise UserError(f"{stage} cannot name a folder; choose another name")
        if self.updates < 0 or self.epochs < 0 or bool(self.updates) == bool(self.epochs):
            raise UserError(f"{stage}: give a positive number of either updates or epochs")
        at_once = 1 if self.device_batch_size is None else self.device_batch_size
        if self.batch_size < 1 or at_once < 1:
            raise UserError(f"{stage}: batch_size and device_batch_size must be positive")
        self.accumulation(processes=1)
        if self.learning_rate <= 0 or (self.muon_learning_rate or 1) <= 0:
            raise UserError(f"{stage}: learning rates must be positive")
        if self.latent_steps < 0 or self.warmup < 0:
            raise UserError(f"{stage}: latent_steps and warmup must be at least 0")
        if not (0 <= self.replay <= 1 and 0 <= self.decay <= 1):
            raise UserError(f"{stage}: replay and decay are fractions from 0 to 1")
        if not self.conditions:
            raise UserError(f"{stage} has no conditions; give at least 'own'")
        if self.replay and not self.latent_steps:
            raise UserError(f"{stage}: replay needs an earlier stage to replay")

    def accumulation(self, processes: int) -> int:
        """Passes of each process that make up one update.

        Raises:
            UserError: the batch cannot be dealt out evenly.
        """
        at_once = self.device_batch_size or max(self.batch_size // processes, 1)
        passes, rest = divmod(self.batch_size, processes * at_once)
        if rest:
            raise UserError(
                f"stage {self.name!r}: batch_size={self.batch_size} is no multiple of {processes} "
                f"processes x {at_once} examples at a time; change batch_size or device_batch_size"
            )
        return passes


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

    prompts: str = ""
    """Prompt format by its name (docs/data.md), saved with the model; by default the initial
    model's own."""

    max_tokens: int | None = None
    """Longest sequence that is trained on; a longer one loses whole written steps from its end."""

    lora: LoraConfig | None = None
    """Train adapters instead of all weights."""

    dtype: Literal["float32", "bfloat16"] = "float32"
    """Precision to compute in. What is trained stays in float32 either way; a model that adapters
    leave as it is, is itself held in bfloat16."""

    gradient_checkpointing: bool = False
    """Compute each layer again when gradients need it, in place of keeping what it computed: less
    memory for a third more time, and the same numbers."""

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
        if self.plan.varies:
            raise UserError(
                f"training {self.name!r}: blocks of latent steps are trained with lead=0 and "
                "length='fixed', since nothing teaches a model when to open or end one"
            )
        names = [stage.name for stage in self.stages]
        if len(set(names)) < len(names):
            raise UserError(f"training {self.name!r} has two stages of one name: {names}")
        for stage in self.stages:
            wrong = stage.latent_steps > self.plan.steps
            if wrong or (stage is self.stages[-1] and stage.latent_steps < self.plan.steps):
                raise UserError(
                    f"stage {stage.name!r} has {stage.latent_steps} latent steps, but the plan has "
                    f"{self.plan.steps}: no stage takes more, and the last takes them all"
                )
            if self.lora is not None and stage.muon_learning_rate is not None:
                raise UserError(
                    f"stage {stage.name!r}: adapters are trained with AdamW alone; "
                    "set muon_learning_rate to null"
                )
        for setting in ("eval_examples", "checkpoint_every", "log_every"):
            if getattr(self, setting) < 1:
                raise UserError(f"training {self.name!r}: {setting} must be at least 1")
        if self.seed < 0 or self.weight_decay < 0:
            raise UserError(f"training {self.name!r}: seed and weight_decay must be at least 0")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise UserError(f"training {self.name!r}: max_tokens must be at least 1")

    @property
    def held_dtype(self) -> Literal["float32", "bfloat16"]:
        """Precision in which a stage's weights are held and kept (see `dtype`)."""
        return "float32" if self.lora is None else self.dtype

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
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        near = did_you_mean(path.name, [p.name for p in path.parent.glob("[!.]*.yaml")])
        raise UserError(f"no training configuration at {path}; {near}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{path} cannot be read as YAML: {error}") from None
    return build(TrainConfig, values, str(path))

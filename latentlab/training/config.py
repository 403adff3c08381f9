"""What a training is: a model to start from, a plan to end with, and stages on the way.

A `TrainConfig` is one YAML file. It is also what is saved beside the weights, so that every trained
model says how to make it again.
"""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Lt

from latentlab.errors import UserError, did_you_mean
from latentlab.methods.taught import lesson_of
from latentlab.reasoning.plan import LatentPlan
from latentlab.schema import (
    STRICT,
    Amount,
    Count,
    check,
    read,
    read_file,
    read_yaml,
)
from latentlab.training.own import ModelConfig as ModelConfig
from latentlab.training.stages import LoraConfig as LoraConfig
from latentlab.training.stages import StageConfig as StageConfig
from latentlab.training.stages import names_folder
from latentlab.training.tiny import TinyConfig

CONFIG_FILE = "config.yaml"
"""What a training's folder calls its configuration."""

Seed = Annotated[int, Ge(0), Lt(2**63)]
"""What generators of random numbers take."""


@dataclass(frozen=True)
class TrainConfig:
    """A whole training."""

    __pydantic_config__: ClassVar = STRICT

    name: str
    """Name of the model."""

    stages: tuple[StageConfig, ...]
    """The curriculum, in order; the optimizer starts afresh at each stage."""

    plan: LatentPlan = field(default_factory=LatentPlan)
    """The plan of the finished model."""

    init: str | TinyConfig = field(default_factory=TinyConfig)
    """Where the weights come from: a checkpoint, or the sizes of a model made from scratch that
    knows the benchmark's words."""

    model: ModelConfig | None = None
    """A model made from scratch for one's own words and pictures, in place of `init`."""

    method: str = ""
    """Method that the model is trained to follow, on examples with a trace (docs/methods.md); by
    default it learns the steps of its plan and what is left to write."""

    prompts: str = ""
    """Prompt format by its name (docs/data.md), saved with the model; by default the initial
    model's own."""

    max_tokens: Count | None = None
    """Longest sequence that is trained on; a longer one loses whole written steps from its end."""

    group_by_length: bool = False
    """Make batches of examples that are about as long as each other, so that less of them is
    padding: another order of the same examples, by the same seed."""

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

    seed: Seed = 0
    """Seed of initial weights, data order and replay."""

    weight_decay: Amount = 0.01
    """Weight decay of both optimizers."""

    eval_examples: Count = 512
    """Held-out examples after each stage."""

    eval_data: str = ""
    """Data specification of the held-out accuracy, of which the validation split is taken. By
    default the data of the last stage; where that has no such split, every tenth example is held
    out."""

    checkpoint_every: Count = 100
    """Updates between checkpoints to resume from."""

    log_every: Count = 25
    """Updates between logged losses."""

    save_dtype: Literal["float32", "float16", "bfloat16"] = "float32"
    """Precision of the saved weights."""

    report_to: tuple[str, ...] = ()
    """Trackers to report to, as transformers names them (tensorboard, wandb, ...)."""

    def __post_init__(self) -> None:
        """Refuse trainings that contradict themselves."""
        check(self, f"training {self.name!r}")
        if not names_folder(self.name):
            raise UserError(
                f"training {self.name[:60]!r} cannot name a folder; choose another name"
            )
        if not self.stages:
            raise UserError(f"training {self.name!r} has no stages")
        if self.model is not None and self.init != TinyConfig():
            raise UserError(f"training {self.name!r}: give init or model, not both")
        if self.method:
            lesson_of(self.method)
            if self.plan.steps:
                raise UserError(
                    f"training {self.name!r}: the method {self.method} takes no steps of a plan; "
                    "give a plan with steps=0"
                )
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
    if not path.exists():
        near = did_you_mean(path.name, [p.name for p in path.parent.glob("[!.]*.yaml")])
        raise UserError(f"no training configuration at {path}; {near}")
    text = read_file(path)
    return read(TrainConfig, read_yaml(text, str(path)), str(path), text)

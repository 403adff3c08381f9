"""One stage of training on `transformers.Trainer`.

The trainer brings checkpoints, exact resume, accelerate, trackers and progress; what is ours is the
objective, the optimizer and the order of the data. Each stage gets a trainer of its own, so the
optimizer and the schedule start afresh, as in Coconut and IVT-LR.
"""

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from torch.utils.data import SequentialSampler
from transformers import (
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from latentlab.training.config import StageConfig, TrainConfig
from latentlab.training.objective import Objective
from latentlab.training.optimizer import make_optimizer
from latentlab.training.stage_data import Collator, StageData

FINAL_RATE = 0.05
"""Fraction of the learning rate that is left at the end of a stage."""


class MetricsFile(TrainerCallback):
    """Appends every logged value to a file of JSON lines."""

    def __init__(self, path: Path, stage: str) -> None:
        """Keep where to write."""
        self.path = path
        self.stage = stage

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Write one line; the main process only."""
        if state.is_world_process_zero and logs and "loss" in logs:
            keep = {name: logs[name] for name in ("loss", "grad_norm", "learning_rate")}
            append_metrics(self.path, {"stage": self.stage, "update": state.global_step, **keep})


class StageTrainer(Trainer):
    """A Trainer whose loss is the objective's and whose batches come in a fixed order."""

    def __init__(
        self, objective: Objective, config: TrainConfig, stage: StageConfig, **kwargs: Any
    ) -> None:
        """Keep what the optimizer needs."""
        self.config = config
        self.stage = stage
        super().__init__(model=objective, **kwargs)

    def compute_loss(
        self, model: nn.Module, inputs: dict[str, Any], return_outputs: bool = False, **_: Any
    ) -> Any:
        """Return the objective's loss."""
        outputs = model(**inputs)
        return (outputs["loss"], outputs) if return_outputs else outputs["loss"]

    def create_optimizer(self, model: nn.Module | None = None) -> Optimizer:
        """Make the stage's optimizer."""
        if self.optimizer is None:
            self.optimizer = make_optimizer(
                self.model if model is None else model,
                self.stage.learning_rate,
                self.stage.muon_learning_rate,
                self.config.weight_decay,
            )
        return self.optimizer

    def _save(
        self, output_dir: str | None = None, state_dict: dict[str, torch.Tensor] | None = None
    ) -> None:
        """Save copies: safetensors refuses tensors that share memory, as tied embeddings do."""
        weights = self.model.state_dict() if state_dict is None else state_dict
        super()._save(output_dir, {name: value.clone() for name, value in weights.items()})

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        """Keep the order that `StageData` fixed."""
        return SequentialSampler(self.train_dataset if train_dataset is None else train_dataset)


def train_stage(
    objective: Objective,
    config: TrainConfig,
    stage: StageConfig,
    data: StageData,
    collator: Collator,
    folder: Path,
) -> None:
    """Train one stage, going on from its last checkpoint where there is one.

    Args:
        objective: the model and its loss; trained in place.
        config: the whole training.
        stage: the stage to train.
        data: its examples in order.
        collator: makes batches of them.
        folder: where checkpoints and the log go.
    """
    args = TrainingArguments(
        output_dir=str(folder / "checkpoints" / stage.name),
        max_steps=stage.updates,
        per_device_train_batch_size=stage.batch_size,
        learning_rate=stage.learning_rate,
        lr_scheduler_type="warmup_stable_decay",
        lr_scheduler_kwargs={
            "num_decay_steps": int(stage.updates * stage.decay),
            "min_lr_ratio": FINAL_RATE,
            "decay_type": "linear",
        },
        warmup_steps=min(stage.warmup, stage.updates // 2),
        max_grad_norm=1.0,
        save_strategy="steps",
        save_steps=config.checkpoint_every,
        save_total_limit=1,
        logging_steps=config.log_every,
        report_to=list(config.report_to) or "none",
        remove_unused_columns=False,
        seed=config.seed,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
        disable_tqdm=None,
    )
    trainer = StageTrainer(
        objective,
        config,
        stage,
        args=args,
        train_dataset=data,
        data_collator=collator,
        callbacks=[MetricsFile(folder / "metrics.jsonl", stage.name)],
    )
    checkpoints = Path(args.output_dir or folder).glob("checkpoint-*/trainer_state.json")
    resume = max(checkpoints, key=lambda p: int(p.parent.name.split("-")[1]), default=None)
    trainer.train(resume_from_checkpoint=str(resume.parent) if resume else None)


def append_metrics(path: Path, values: dict[str, Any]) -> None:
    """Append one JSON line."""
    with path.open("a") as file:
        file.write(json.dumps(values) + "\n")

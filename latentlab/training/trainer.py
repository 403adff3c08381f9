"""One stage of training on `transformers.Trainer`.

The trainer brings checkpoints, exact resume, accelerate, trackers and progress; what is ours is the
objective, the optimizer and the order of the data. Each stage gets a trainer of its own, so the
optimizer and the schedule start afresh, as in Coconut and IVT-LR.
"""

import math
from collections.abc import Sized
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import SequentialSampler
from transformers import (
    PrinterCallback,
    ProgressCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.integrations.integration_utils import get_reporting_integration_callbacks

from latentlab.checkpoint import quiet
from latentlab.console import note, remarks
from latentlab.errors import UserError
from latentlab.training.config import StageConfig, TrainConfig
from latentlab.training.metrics import StageLog
from latentlab.training.objective import Objective
from latentlab.training.optimizer import make_optimizer
from latentlab.training.stage_data import Collator, StageData

FINAL_RATE = 0.05
"""Fraction of the learning rate that is left at the end of a stage."""


class Report(TrainerCallback):
    """Writes losses to the log, and tells them where no bar is drawn."""

    def __init__(self, log: StageLog, name: str) -> None:
        """Keep where to write, and what to call the stage on the screen."""
        self.log = log
        self.name = name

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Take back what will be written again after a resume."""
        self.log.rewind(state.global_step)
        resumed = f", from {state.global_step} on" if state.global_step else ""
        note(f"{self.name}: {state.max_steps} updates{resumed}")

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Write one line of losses.

        Raises:
            UserError: the loss is no longer a number.
        """
        if not logs or "loss" not in logs:
            return
        loss, update = float(logs["loss"]), state.global_step
        if not math.isfinite(loss):
            raise UserError(f"{self.name}: the loss is {loss} by update {update}; lower the rates")
        keep = {name: logs[name] for name in ("loss", "grad_norm", "learning_rate")}
        self.log.write(update, **keep)
        if not remarks.is_terminal:
            note(f"{self.name} update {update}/{state.max_steps} loss {loss:.3f}")


class Bar(ProgressCallback):
    """A bar with the loss at its end, in place of a line for each log."""

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Show the loss."""
        if logs and "loss" in logs and self.training_bar is not None:
            self.training_bar.set_postfix(loss=f"{logs['loss']:.3f}")


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
        self,
        model: nn.Module,
        inputs: dict[str, Tensor | Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor | tuple[Tensor, Any]:
        """Return the objective's loss."""
        outputs = model(**inputs)
        loss: Tensor = outputs["loss"]
        return (loss, outputs) if return_outputs else loss

    def create_optimizer(self, model: nn.Module | None = None) -> Optimizer:
        """Make the stage's optimizer."""
        if self.optimizer is None:
            self.optimizer = make_optimizer(
                cast(nn.Module, self.model if model is None else model),
                self.stage.learning_rate,
                self.stage.muon_learning_rate,
                self.config.weight_decay,
            )
        return self.optimizer

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        """Keep the order that `StageData` fixed."""
        data = self.train_dataset if train_dataset is None else train_dataset
        return SequentialSampler(cast(Sized, data))


def train_stage(
    objective: Objective,
    config: TrainConfig,
    stage: StageConfig,
    data: StageData,
    collator: Collator,
    folder: Path,
    log: StageLog,
    device: torch.device,
) -> None:
    """Train one stage, going on from its last checkpoint where there is one.

    Args:
        objective: the model and its loss; trained in place.
        config: the whole training.
        stage: the stage to train.
        data: its examples in order.
        collator: makes batches of them.
        folder: where checkpoints go.
        log: where losses go.
        device: where to compute.

    Raises:
        UserError: the trainer cannot use the device, or the loss is no longer a number.
    """
    trainer = StageTrainer(
        objective,
        config,
        stage,
        args=_arguments(config, stage, folder, device),
        train_dataset=data,
        data_collator=collator,
        callbacks=[Report(log, f"{config.name} {stage.name}")],
    )
    trainer.remove_callback(PrinterCallback)
    if remarks.is_terminal:
        trainer.add_callback(Bar)
    # The trainer's state is written last: a checkpoint without it was never finished.
    checkpoints = folder.glob("checkpoint-*/trainer_state.json")
    resume = max(checkpoints, key=lambda p: int(p.parent.name.split("-")[1]), default=None)
    with quiet():
        trainer.train(resume_from_checkpoint=str(resume.parent) if resume else None)


def check_trackers(config: TrainConfig) -> None:
    """Refuse trackers that transformers does not know, or whose package is missing.

    Raises:
        UserError: there is one.
    """
    trackers: Any = get_reporting_integration_callbacks
    try:
        for tracker in trackers(list(config.report_to)):
            tracker()
    except (ImportError, RuntimeError, ValueError) as error:
        raise UserError(f"report_to: {error}") from None


def _arguments(
    config: TrainConfig, stage: StageConfig, folder: Path, device: torch.device
) -> TrainingArguments:
    """Say it all in the trainer's words."""
    warmup = min(stage.warmup, stage.updates // 2)
    args = TrainingArguments(
        output_dir=str(folder),
        max_steps=stage.updates,
        per_device_train_batch_size=stage.batch_size,
        learning_rate=stage.learning_rate,
        lr_scheduler_type="warmup_stable_decay",
        lr_scheduler_kwargs={
            "num_decay_steps": min(int(stage.updates * stage.decay), stage.updates - warmup),
            "min_lr_ratio": FINAL_RATE,
            "decay_type": "linear",
        },
        warmup_steps=warmup,
        max_grad_norm=1.0,
        save_strategy="steps",
        save_steps=config.checkpoint_every,
        save_total_limit=1,
        logging_steps=config.log_every,
        logging_nan_inf_filter=False,  # which would show the mean of earlier losses instead
        report_to=list(config.report_to) or "none",
        remove_unused_columns=False,
        seed=config.seed,
        use_cpu=device.type == "cpu",
        dataloader_pin_memory=device.type == "cuda",
        disable_tqdm=True,  # `Bar` is ours
    )
    if args.world_size > 1:
        raise UserError("a training is one process; start it without torchrun or accelerate launch")
    if args.device.type != device.type or (device.index or 0) != (args.device.index or 0):
        raise UserError(
            f"the trainer computes on {args.device}, not on {device}; hide other devices from it "
            "(CUDA_VISIBLE_DEVICES=1 for the second GPU) and leave --device out"
        )
    if device.type == "cuda":
        args._n_gpu = 1  # more would split batches, which ours cannot be
    return args

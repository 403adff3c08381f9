"""One stage of training on `transformers.Trainer`.

The trainer brings checkpoints, exact resume, accelerate, trackers and progress; what is ours is the
objective, the optimizer and the order of the data. Each stage gets a trainer of its own, so the
optimizer and the schedule start afresh, as in Coconut and IVT-LR.

An update is one batch, however many processes and accumulated passes compute it: the loss is the
mean over all tokens of the batch, so shares with more to write weigh more.
"""

from contextlib import closing
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from safetensors.torch import load_file
from transformers import PrinterCallback, TrainingArguments
from transformers.utils import SAFE_WEIGHTS_NAME

from latentlab.checkpoint import quiet
from latentlab.console import remarks
from latentlab.errors import UserError
from latentlab.training.ahead import Ahead
from latentlab.training.config import StageConfig, TrainConfig
from latentlab.training.metrics import StageLog
from latentlab.training.objective import Objective
from latentlab.training.processes import is_deepspeed, wait
from latentlab.training.reports import Bar, Report
from latentlab.training.stage_data import Collator, StageData
from latentlab.training.stage_trainer import StageTrainer, TakeUp
from latentlab.training.trackers import tell_refusals

FSDP_WEIGHTS = "pytorch_model_fsdp.bin"
"""What tells a checkpoint of FSDP, whose optimizer states no other engine reads."""

FINAL_RATE = 0.05
"""Fraction of the learning rate that is left at the end of a stage."""


def train_stage(
    objective: Objective,
    config: TrainConfig,
    stage: StageConfig,
    data: StageData,
    collator: Collator,
    folder: Path,
    log: StageLog,
    device: torch.device,
) -> bool:
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

    Returns:
        Whether the objective's model now holds the trained weights. Where the engine shards it, it
        does not, and the last checkpoint is where they are (`last_checkpoint`).

    Raises:
        UserError: the trainer cannot use the device or the engine the optimizer, an example lacks
            what it needs, or the loss is no longer a number.
    """
    args = _arguments(config, stage, folder, device)
    ahead = Ahead(data, collator, args.per_device_train_batch_size * args.world_size)
    trainer = StageTrainer(
        objective,
        config,
        stage,
        args=args,
        train_dataset=ahead,
        data_collator=_as_it_is,
        callbacks=[Report(log, f"{config.name} {stage.name}", ahead)],
    )
    tell_refusals(trainer.callback_handler.callbacks, config)
    trainer.add_callback(TakeUp(trainer))
    trainer.remove_callback(PrinterCallback)
    if remarks.is_terminal:
        trainer.add_callback(Bar)
    engine_shards = trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled
    if engine_shards and stage.muon_learning_rate is not None:
        raise UserError(
            f"stage {stage.name!r}: Muon needs whole matrices, and FSDP and DeepSpeed cut them; "
            "set muon_learning_rate to null"
        )
    resume = last_checkpoint(folder)
    if resume and trainer.is_fsdp_enabled != (resume / FSDP_WEIGHTS).is_file():
        raise UserError(
            f"{resume} was written {'without' if trainer.is_fsdp_enabled else 'with'} FSDP; go on "
            f"as it was begun, or remove it to begin stage {stage.name!r} again"
        )
    wait()  # all have seen the same checkpoint before one of them writes the next
    with quiet(), closing(ahead):
        trainer.train(resume_from_checkpoint=str(resume) if resume else None)
    return not trainer.is_fsdp_enabled


def _as_it_is(batch: dict[str, Any]) -> dict[str, Any]:
    """What `Ahead` gives is a batch already."""
    return batch


def last_checkpoint(folder: Path) -> Path | None:
    """Return the newest finished checkpoint of a stage.

    The trainer's state is written last: a checkpoint without it was never finished.
    """
    states = folder.glob("checkpoint-*/trainer_state.json")
    newest = max(states, key=lambda p: int(p.parent.name.split("-")[1]), default=None)
    return newest.parent if newest else None


def load_trained(objective: Objective, folder: Path) -> None:
    """Fill an objective with the trained weights of a stage's last checkpoint."""
    newest = last_checkpoint(folder)
    assert newest is not None, "a stage ends with a checkpoint"
    objective.load_state_dict(load_file(newest / SAFE_WEIGHTS_NAME), strict=False)


def _arguments(
    config: TrainConfig, stage: StageConfig, folder: Path, device: torch.device
) -> TrainingArguments:
    """Say it all in the trainer's words.

    Raises:
        UserError: the batch cannot be dealt out, or the trainer takes another device.
    """
    processes = PartialState().num_processes
    accumulation = stage.accumulation(processes)
    share = stage.batch_size // (processes * accumulation)
    if share == 1 and "exchanged" in stage.conditions:
        raise UserError(
            f"stage {stage.name!r}: latents are exchanged within what a process computes at a "
            "time, which is one example; use fewer processes or a larger device_batch_size"
        )
    warmup = min(stage.warmup, stage.updates // 2)
    args = TrainingArguments(
        output_dir=str(folder),
        max_steps=stage.updates,
        per_device_train_batch_size=share,
        gradient_accumulation_steps=accumulation,
        bf16=config.dtype == "bfloat16" and is_deepspeed(),  # which casts the weights itself
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
        # Adapters are on the decoder, which every batch runs; a vision tower may have to wait.
        ddp_find_unused_parameters=config.lora is None and not config.freeze_vision,
        dataloader_pin_memory=device.type == "cuda",
        disable_tqdm=True,  # `Bar` is ours
    )
    if args.device.type != device.type or (device.index or 0) != (args.device.index or 0):
        raise UserError(
            f"the trainer computes on {args.device}, not on {device}; hide other devices from it "
            "(CUDA_VISIBLE_DEVICES=1 for the second GPU) and leave --device out"
        )
    if device.type == "cuda":
        args._n_gpu = 1  # more would split batches, which ours cannot be
    return args

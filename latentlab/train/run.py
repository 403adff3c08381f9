"""Runs or resumes a training, and tells what came of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from latentlab.console import show, table
from latentlab.train.config import TrainFlags
from latentlab.train.dry_run import dry_run
from latentlab.training.config import TrainConfig, read_config
from latentlab.training.curriculum import train
from latentlab.training.held_out import held_out_name
from latentlab.training.metrics import METRICS_FILE, read_metrics


def settings(command: TrainFlags) -> TrainConfig:
    """The file's settings, with those that flags take the place of.

    Raises:
        UserError: the file cannot be read, or a setting is refused.
    """
    config = read_config(command.config)
    whole = {"init": command.model, "seed": command.seed, "eval_examples": command.limit}
    if command.data is not None and config.eval_data:
        whole["eval_data"] = command.data
    if command.model is not None:
        config = replace(config, model=None)
    stage = _given({"data": command.data, "batch_size": command.batch_size})
    stages = tuple(replace(each, **stage) for each in config.stages)
    return replace(config, stages=stages, **_given(whole))


def main(command: TrainFlags) -> None:
    """Run or resume the training, and tell what came of it."""
    if command.threads:
        torch.set_num_threads(command.threads)
    config = settings(command)
    if command.dry_run:
        dry_run(config, command.config.parent, command.gpus)
        return
    folder = command.out or Path("runs") / f"{config.name}-s{config.seed}"
    final = train(config, folder, command.device)
    metrics = read_metrics(folder / METRICS_FILE)
    accuracy = next(line["held_out"] for line in reversed(metrics) if "held_out" in line)
    renamed = {"low": "accuracy_low", "high": "accuracy_high"}
    frame = pd.DataFrame.from_dict(accuracy, orient="index").rename(columns=renamed)
    table(
        frame.rename_axis("questions").reset_index(),
        {"questions": "questions", "n": "n", "accuracy": "accuracy %"},
        f"{config.name}: accuracy on held-out examples of {held_out_name(config)}; 95 % intervals",
    )
    show(f"{config.name} is trained: the model is in {final}, the log in {folder / METRICS_FILE}.")


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}

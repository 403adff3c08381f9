"""Train a latent reasoner through progressive stages, from one YAML file.

    python -m latentlab.train CONFIG.yaml --out runs/mine

Started again with the same settings and folder, it resumes where it was stopped. Each flag but
`--out`, `--device` and `--threads` takes the place of a setting of the file, for this training.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from latentlab.command import run

if TYPE_CHECKING:
    from latentlab.training.config import TrainConfig


@dataclass(frozen=True, kw_only=True)
class TrainCommand:
    """Flags of `python -m latentlab.train`."""

    config: tyro.conf.Positional[Path]
    """The training's YAML file (see `latentlab/training/config.py` for every setting)."""

    model: str | None = None
    """Model to start from: an embedded organism, the folder of a checkpoint or a hub name."""

    data: str | None = None
    """Where the examples of every stage and of the held-out accuracy come from."""

    limit: int | None = None
    """Number of held-out examples at most."""

    batch_size: int | None = None
    """Number of examples of an update, in every stage."""

    seed: int | None = None
    """Seed of initial weights, data order and replay."""

    device: str = "auto"
    """Where to compute: auto (a GPU if there is one), cpu, cuda, mps."""

    out: Path | None = None
    """Folder of the training; by default runs/, the model's name and the seed."""

    threads: int = 0
    """CPU threads; 0 leaves the choice to PyTorch."""


def settings(command: TrainCommand) -> "TrainConfig":
    """The file's settings, with those that flags take the place of.

    Raises:
        UserError: the file cannot be read, or a setting is refused.
    """
    from latentlab.training.config import read_config

    config = read_config(command.config)
    whole = {"init": command.model, "seed": command.seed, "eval_data": command.data}
    whole |= {"eval_examples": command.limit}
    stage = _given({"data": command.data, "batch_size": command.batch_size})
    stages = tuple(replace(each, **stage) for each in config.stages)
    return replace(config, stages=stages, **_given(whole))


def main(command: TrainCommand) -> None:
    """Run or resume the training, and tell what came of it."""
    import pandas as pd
    import torch

    from latentlab.console import show, table
    from latentlab.training.curriculum import train
    from latentlab.training.metrics import METRICS_FILE, read_metrics

    if command.threads:
        torch.set_num_threads(command.threads)
    config = settings(command)
    folder = command.out or Path("runs") / f"{config.name}-s{config.seed}"
    final = train(config, folder, command.device)
    metrics = read_metrics(folder / METRICS_FILE)
    accuracy = next(line["held_out"] for line in reversed(metrics) if "held_out" in line)
    renamed = {"low": "accuracy_low", "high": "accuracy_high"}
    frame = pd.DataFrame.from_dict(accuracy, orient="index").rename(columns=renamed)
    table(
        frame.rename_axis("questions").reset_index(),
        {"questions": "questions", "n": "n", "accuracy": "accuracy %"},
        f"{config.name}: accuracy on held-out examples of {config.eval_data}; 95 % intervals",
    )
    show(f"{config.name} is trained: the model is in {final}, the log in {folder / METRICS_FILE}.")


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


if __name__ == "__main__":
    sys.exit(run(TrainCommand, main, "train"))

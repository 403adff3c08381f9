"""Train a latent reasoner through progressive stages, from one YAML file.

    python -m latentlab.train CONFIG.yaml --out runs/mine

Started again with the same folder, it resumes where it was stopped.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from latentlab.command import run


@dataclass(frozen=True, kw_only=True)
class TrainCommand:
    """Flags of `python -m latentlab.train`."""

    config: tyro.conf.Positional[Path]
    """The training's YAML file (see `latentlab/training/config.py` for every setting)."""

    seed: int | None = None
    """Overrides the file's seed."""

    out: Path | None = None
    """Folder of the training; by default runs/, the model's name and the seed."""

    threads: int = 0
    """CPU threads; 0 leaves the choice to PyTorch."""


def main(command: TrainCommand) -> None:
    """Run or resume the training."""
    import dataclasses

    import torch

    from latentlab.console import show
    from latentlab.training.config import read_config
    from latentlab.training.curriculum import train

    if command.threads:
        torch.set_num_threads(command.threads)
    config = read_config(command.config)
    if command.seed is not None:
        config = dataclasses.replace(config, seed=command.seed)
    folder = command.out or Path("runs") / f"{config.name}-s{config.seed}"
    final = train(config, folder)
    show(f"{config.name} is trained; the model is in {final}, its log in {folder}/metrics.jsonl")


if __name__ == "__main__":
    sys.exit(run(TrainCommand, main, "train"))

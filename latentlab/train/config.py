"""Train a latent reasoner through progressive stages, from one YAML file.

    python -m latentlab.train CONFIG.yaml --out runs/mine

Started again with the same settings and folder, it resumes where it was stopped. Each flag but
`--out`, `--device`, `--threads` and those of a dry run takes the place of a setting of the file,
for this training. On several GPUs:

    accelerate launch --config_file experiments/recipes/accelerate/ddp.yaml -m latentlab.train ...
"""

from dataclasses import dataclass
from pathlib import Path

import tyro

from latentlab.errors import UserError

MOST_THREADS = 1024
"""More than machines have."""


@dataclass(frozen=True, kw_only=True)
class TrainFlags:
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

    dry_run: bool = False
    """Only tell what the training would take: parameters, memory by engine, hours. Needs no
    weights, no data and no GPU."""

    gpus: int = 4
    """Number of GPUs that a dry run reckons with."""

    threads: int = 0
    """CPU threads; 0 leaves the choice to PyTorch."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.gpus < 1:
            raise UserError(f"--gpus {self.gpus} is too small: it is at least 1")
        if not 0 <= self.threads <= MOST_THREADS:
            raise UserError(f"--threads {self.threads}: give 0, or a number up to {MOST_THREADS}")

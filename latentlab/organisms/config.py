"""Train the embedded organisms and their twins from nothing.

    python -m latentlab.organisms                    all of them, one after the other
    python -m latentlab.organisms relay gaze --seed 1

Each training lives in its own folder and resumes where it was stopped, so the command may be
started again, or several times at once for different organisms once the base model is there.
"""

from dataclasses import dataclass
from pathlib import Path

import tyro

from latentlab.errors import UserError

MOST_THREADS = 1024
"""More than machines have."""


@dataclass(frozen=True, kw_only=True)
class OrganismsConfig:
    """Flags of `python -m latentlab.organisms`."""

    names: tyro.conf.Positional[tuple[str, ...]] = ()
    """Organisms to train; by default all."""

    seed: int = 0
    """Seed of weights, data order and replay."""

    out: Path = Path("runs/organisms")
    """Folder of the trainings, one for each organism and seed."""

    threads: int = 1
    """CPU threads; one, and two commands at once, is faster than two threads in one."""

    embed: bool = False
    """Put the finished models into the package, in the place of those it came with."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not 1 <= self.threads <= MOST_THREADS:
            raise UserError(f"--threads {self.threads}: give a number from 1 to {MOST_THREADS}")
        if len(set(self.names)) < len(self.names):
            raise UserError(f"an organism is named twice: {' '.join(self.names)}")

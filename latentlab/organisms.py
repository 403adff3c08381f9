"""Train the embedded organisms and their twins from nothing.

    python -m latentlab.organisms                    all of them, one after the other
    python -m latentlab.organisms relay gaze --seed 1

Each training lives in its own folder and resumes where it was stopped, so the command may be
started again, or several times at once for different organisms once the base model is there.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from latentlab.command import run
from latentlab.errors import UserError, did_you_mean


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


def main(config: OrganismsConfig) -> None:
    """Train what is asked for, the base model first."""
    import torch

    from latentlab.console import show
    from latentlab.training.curriculum import train
    from latentlab.training.recipes import PLANS, SWEEP, base_recipe, recipe
    from latentlab.training.zoo import embed

    for name in config.names:
        if name not in PLANS | SWEEP and name != "base":
            raise UserError(f"no organism is called {name!r}; {did_you_mean(name, PLANS | SWEEP)}")
        if config.embed and name in SWEEP:
            raise UserError(f"{name} is not for embedding; its log goes to experiments/data")
    torch.set_num_threads(config.threads)
    names = [name for name in config.names or PLANS if name != "base"]
    base = train(base_recipe(config.seed), config.out / f"base-s{config.seed}")
    for name in names:
        folder = config.out / f"{name}-s{config.seed}"
        train(recipe(name, str(base), config.seed), folder)
        if config.embed:
            embed(name, folder)
        show(f"{name} (seed {config.seed}) is trained; its model and log are in {folder}.")


if __name__ == "__main__":
    sys.exit(run(OrganismsConfig, main, "organisms"))

"""Trains what is asked for, the base model first."""

import torch

from latentlab.console import show
from latentlab.errors import UserError, did_you_mean
from latentlab.organisms.config import OrganismsConfig
from latentlab.training.curriculum import train
from latentlab.training.recipes import PLANS, SWEEP, base_recipe, recipe
from latentlab.training.zoo import embed


def main(config: OrganismsConfig) -> None:
    """Train what is asked for, the base model first."""
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

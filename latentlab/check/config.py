"""Check that the engine computes with a model what the model itself computes.

    python -m latentlab.check ivtlr
    python -m latentlab.check path/to/checkpoint
    python -m latentlab.check path/to/checkpoint --only image cached

Every check compares two ways to the same numbers, in float32 and on three small pictures, and says
how far they are apart: the family's own forward and ours, cached and recomputed, batched and
single, and so on (docs/families.md). A checkpoint needs no latent plan for it. The command ends
with exit code 1 if something does not hold.
"""

from dataclasses import dataclass
from pathlib import Path

import tyro

from latentlab.command import RESULTS
from latentlab.errors import UserError, did_you_mean

EXIT_DIFFERS = 1

NAMES = (
    "image",
    "text",
    "gradients",
    "through",
    "attention",
    "cached",
    "batched",
    "padded",
    "zero",
    "own",
    "components",
    "transformer_lens",
    "nnsight",
)
"""Every check, in the order in which they run."""


@dataclass(frozen=True, kw_only=True)
class CheckConfig:
    """Flags of `python -m latentlab.check`."""

    model: tyro.conf.Positional[tuple[str, ...]] = ("ivtlr",)
    """Models, each the name of an embedded organism, the folder of a checkpoint or a hub name."""

    only: tuple[str, ...] = ()
    """Checks to run; by default all."""

    seed: int = 0
    """Seed of the pictures."""

    device: str = "auto"
    """Where to compute: auto (a GPU if there is one), cpu, cuda, cuda:1, mps."""

    out: Path = RESULTS / "check"
    """Folder of the results."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            UserError: no model or one named twice, an unknown check, or a seed below 0.
        """
        if not self.model:
            raise UserError("no model is named: give at least one")
        if len(set(self.model)) < len(self.model):
            raise UserError(f"one model is named twice: {' '.join(self.model)}")
        for name in self.only:
            if name not in NAMES:
                raise UserError(f"--only {name}: no such check; {did_you_mean(name, NAMES)}")
        if self.seed < 0:
            raise UserError(f"--seed {self.seed} is too small: it is at least 0")

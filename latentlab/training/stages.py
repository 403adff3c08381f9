"""One stage of a curriculum, and the adapters that stages may train."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from annotated_types import Ge, Le, Lt

from latentlab.errors import UserError
from latentlab.schema import STRICT, Count, Positive, Whole, check
from latentlab.training.conditions import Condition

Share = Annotated[float, Ge(0), Le(1)]
"""A fraction from 0 to 1."""

MOST_AT_ONCE = 4096
"""Examples that a process may be told to compute at a time; more take all memory there is."""

LONGEST_NAME = 100
"""Characters of a name that a folder is called by."""

_TAKEN = ("final", "checkpoints")
"""Folders of a training that are no stage's."""


def names_folder(name: str) -> bool:
    """Whether a folder can be called so, and is not hidden."""
    plain = bool(name) and Path(name).name == name and name.isprintable()
    return plain and len(name) <= LONGEST_NAME and not name.startswith(".")


@dataclass(frozen=True)
class LoraConfig:
    """Low-rank adapters on the decoder's projections, merged into the weights after each stage."""

    __pydantic_config__: ClassVar = STRICT

    rank: Count = 64
    """Rank (published: 64)."""

    alpha: Positive = 16.0
    """Scale (published: 16)."""

    dropout: Annotated[float, Ge(0), Lt(1)] = 0.05
    """Dropout in front of the adapters (published: 0.05)."""

    def __post_init__(self) -> None:
        """Refuse adapters that cannot be."""
        check(self, "lora")


@dataclass(frozen=True)
class StageConfig:
    """One stage of the curriculum: how many steps are latent, on what data, for how long."""

    __pydantic_config__: ClassVar = STRICT

    name: str
    """Name of the stage, for logs and checkpoints."""

    updates: Annotated[int, Ge(0), Le(10**8)] = 0
    """Optimizer updates; 0 where `epochs` says how long the stage is."""

    epochs: Annotated[float, Ge(0), Le(10**6)] = 0.0
    """Passes over the stage's data, for data that has an end."""

    latent_steps: Whole = 0
    """Rationale steps replaced by latent steps; the others stay explicit."""

    rationale: bool = True
    """Whether the remaining steps are written; without, the answer follows at once (No-CoT)."""

    batch_size: Count = 64
    """Examples per update, over all processes and accumulated passes."""

    device_batch_size: Count | None = None
    """Examples that one process computes at a time; gradients are accumulated over as many passes
    as the batch then takes. By default a process computes its whole share of the batch at once."""

    learning_rate: Positive = 5e-4
    """Rate of AdamW."""

    muon_learning_rate: Positive | None = 0.005
    """Rate of Muon on hidden matrices; null trains everything with AdamW, as adapters need."""

    data: str = "benchmark"
    """Data specification (`--data` of every command). The benchmark makes fresh examples for every
    update unless its size is given; other data is shuffled anew at every pass."""

    replay: Share = 0.0
    """Probability that a batch trains an earlier number of latent steps instead, drawn evenly."""

    conditions: tuple[Condition, ...] = ("own",)
    """What batches with latent steps are made to do without (`training.conditions`), drawn evenly
    for each batch."""

    warmup: Whole = 100
    """Updates over which the rate rises."""

    decay: Share = 0.3
    """Fraction of the updates, at the end, over which the rate falls to 5 %."""

    def __post_init__(self) -> None:
        """Refuse stages that cannot be run."""
        check(self, f"stage {self.name!r}")
        stage = f"stage {self.name[:LONGEST_NAME]!r}"
        if not names_folder(self.name) or self.name in _TAKEN:
            raise UserError(f"{stage} cannot name a folder; choose another name")
        if bool(self.updates) == bool(self.epochs):
            raise UserError(f"{stage}: give a positive number of either updates or epochs")
        self.accumulation(processes=1)
        if not self.conditions:
            raise UserError(f"{stage} has no conditions; give at least 'own'")
        if self.replay and not self.latent_steps:
            raise UserError(f"{stage}: replay needs an earlier stage to replay")

    def accumulation(self, processes: int) -> int:
        """Passes of each process that make up one update.

        Raises:
            UserError: the batch cannot be dealt out evenly.
        """
        at_once = self.device_batch_size or max(self.batch_size // processes, 1)
        if at_once > MOST_AT_ONCE:
            raise UserError(
                f"stage {self.name!r}: {at_once:,} examples at a time are more than "
                f"{MOST_AT_ONCE:,}; give device_batch_size"
            )
        passes, rest = divmod(self.batch_size, processes * at_once)
        if rest:
            raise UserError(
                f"stage {self.name!r}: batch_size={self.batch_size} is no multiple of {processes} "
                f"processes x {at_once} examples at a time; change batch_size or device_batch_size"
            )
        return passes

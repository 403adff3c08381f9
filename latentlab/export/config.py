"""Export examples as a folder of your own data: data.jsonl and the pictures it names.

    python -m latentlab.export --data benchmark:domain=digits,hops=2 --limit 100 --out digits
    python -m latentlab.ablate --data digits

The folder has the layout that --data reads, so it is also a template for your own questions. Of the
flags that commands share only those are here that say which examples: no model is run, and a folder
of data is not a folder of results.
"""

from dataclasses import dataclass
from pathlib import Path

from latentlab.errors import UserError


@dataclass(frozen=True, kw_only=True)
class ExportConfig:
    """Flags of `python -m latentlab.export`."""

    out: Path
    """The folder to write, new or empty."""

    data: str = "benchmark"
    """Where the examples come from: the name of a data set, a file or a folder (docs/data.md)."""

    split: str = "test"
    """Which part of the data: train, validation or test."""

    columns: tuple[str, ...] = ()
    """Which column of your own table holds what: question=q image=img choices=a+b+c answer=gold."""

    strict: bool = False
    """Stop at the first example that cannot be used, instead of leaving it out and counting it."""

    limit: int = 500
    """Number of examples at most."""

    seed: int = 0
    """Seed of what is generated."""

    def __post_init__(self) -> None:
        """Refuse numbers out of their range."""
        for flag, value, least in (("--limit", self.limit, 1), ("--seed", self.seed, 0)):
            if value < least:
                raise UserError(f"{flag} {value} is too small: it is at least {least}")

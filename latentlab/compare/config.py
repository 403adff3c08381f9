"""Compare ways to answer: which buys how much accuracy at what cost?

    python -m latentlab.compare
    python -m latentlab.compare --model PATH --data m3cot --method no_cot cot ccot scaffold

Without --method every model is asked in the way that it was trained for: by default the embedded
twins, small models that were trained from one start on the same questions and differ in how they
reason. With --method one model is asked in several ways. All are asked the same questions, and the
costs of all calls are counted in the same way (docs/compare.md).
"""

from dataclasses import dataclass

from latentlab.command import PlannedConfig
from latentlab.compare.ways import EMBEDDED
from latentlab.errors import UserError


@dataclass(frozen=True, kw_only=True)
class CompareConfig(PlannedConfig):
    """Flags of `python -m latentlab.compare`."""

    model: tuple[str, ...] = EMBEDDED
    """Models, each the name of an embedded one, the folder of a checkpoint or a hub name."""

    data: str = "benchmark:hops=1+4"
    """Where the examples come from: the name of a data set, a file or a folder (docs/data.md)."""

    limit: int = 2000
    """Number of examples at most."""

    batch_size: int = 100
    """Number of examples that one forward pass takes."""

    method: tuple[str, ...] | None = None
    """Ways to ask the models, such as no_cot, cot, ccot or own; by default the one that each was
    trained for."""

    max_new_tokens: int = 64
    """Tokens of an answer at most, the written rationale among them."""

    def __post_init__(self) -> None:
        """Refuse answers without room, and methods that are not there."""
        super().__post_init__()
        if self.method:
            from latentlab.methods import methods_of  # here, since it loads what runs models

            methods_of(self.method)
        if self.max_new_tokens < 1:
            raise UserError(f"--max-new-tokens {self.max_new_tokens} is too small: at least 1")

"""Record single answers step by step, for the trace viewer of the report.

    python -m latentlab.trace --out results/paper/traces
    python -m latentlab.trace --model path/to/checkpoint --data path/to/folder
    python -m latentlab.trace --model PATH --data m3cot --method ccot chain_of_focus

For every question and every way to run a model (left alone, and under knock-outs with their matched
controls): what each latent step attends to, which patches it picks, which tokens and which object
can be read off its latent, and how likely each option is. Several models are asked the same
questions. Of models that take no latent steps, and with --method (docs/methods.md), what they write
is recorded instead, call by call. `python -m latentlab.report` shows it.
"""

from dataclasses import dataclass

from latentlab.command import PlannedConfig
from latentlab.errors import UserError

LATENT = ("relay", "gaze", "bypass", "ivtlr")
"""Embedded models whose latent steps are recorded by default."""

WRITTEN = ("cot",)
"""Embedded models that write before they answer, and are asked the same questions by default."""

FEWEST = 20
"""Examples that probes need at least."""


@dataclass(frozen=True, kw_only=True)
class TraceConfig(PlannedConfig):
    """Flags of `python -m latentlab.trace`."""

    model: tuple[str, ...] = (*LATENT, *WRITTEN)
    """Models, each the name of an embedded organism, the folder of a checkpoint or a hub name."""

    data: str = "benchmark:hops=1+4"
    """Where the examples come from: the name of a data set, a file or a folder (docs/data.md). By
    default questions of one hop, which every model answers, and of four."""

    limit: int = 40
    """Number of examples to record at most, the first of the data."""

    reference: int = 2000
    """Examples that the probes are fitted on, the recorded ones among them; each is read by a probe
    that never saw it."""

    tokens: int = 3
    """Number of tokens to keep of what the logit lens reads off a latent."""

    method: tuple[str, ...] | None = None
    """Ways to get from a question to an answer, such as no_cot, cot or ccot, whose calls are
    recorded in place of latent steps."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be meant, and methods that are not there."""
        super().__post_init__()
        if self.method:
            from latentlab.methods import methods_of  # here, since it loads what runs models

            methods_of(self.method)
        if self.reference < FEWEST:
            raise UserError(f"--reference {self.reference} is too small: probes need {FEWEST}")
        if self.tokens < 1:
            raise UserError(f"--tokens {self.tokens} is too small: it is at least 1")

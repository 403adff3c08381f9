"""Record single answers step by step, for the trace viewer of the report.

    python -m latentlab.trace --out results/paper/traces
    python -m latentlab.trace --model path/to/checkpoint --data path/to/folder

For every question: what each latent step attends to, which patches it picks, which tokens and which
object can be read off its latent, and how likely each option is, left alone and under knock-outs
with their matched controls. `python -m latentlab.report` shows it.
"""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latentlab.ablate import REFERENCE
from latentlab.command import CommonConfig, run
from latentlab.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from latentlab.data import Examples
    from latentlab.reasoner import Reasoner

FEWEST = 20
"""Examples that probes need at least."""


@dataclass(frozen=True, kw_only=True)
class TraceConfig(CommonConfig):
    """Flags of `python -m latentlab.trace`."""

    limit: int = 200
    """Number of examples to record at most, the first of the data."""

    reference: int = 1000
    """Examples that the probes are fitted on, the recorded ones among them; each is read by a probe
    that never saw it."""

    tokens: int = 5
    """Number of tokens to keep of what the logit lens reads off a latent."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be meant."""
        super().__post_init__()
        if self.reference < FEWEST:
            raise UserError(f"--reference {self.reference} is too small: probes need {FEWEST}")
        if self.tokens < 1:
            raise UserError(f"--tokens {self.tokens} is too small: it is at least 1")


def rows_of(
    config: TraceConfig, reasoner: "Reasoner", examples: "Examples", references: "Examples"
) -> "pd.DataFrame":
    """Rows of one model; see `tracing.rows_of`."""
    from latentlab.instruments.trace import tracing

    return tracing.rows_of(config, reasoner, examples, references)


def summary_of(rows: "pd.DataFrame", seed: int) -> "pd.DataFrame":
    """Lines of all rows; see `findings.summary_of`."""
    from latentlab.instruments.trace import findings

    return findings.summary_of(rows, seed)


def main(config: TraceConfig) -> None:
    """Run the study and say what it recorded."""
    from latentlab.console import show
    from latentlab.instruments.trace.findings import conclusion
    from latentlab.instruments.trace.tracing import check
    from latentlab.studies import divide, run_study

    data = divide(config.data, config.seed, config.limit, REFERENCE)
    results, out = run_study(
        config,
        "trace",
        lambda reasoner, examples: rows_of(config, reasoner, examples, data.references),
        lambda reasoner, examples: check(config, reasoner, examples),
        summary_of,
        division=data,
    )
    for sentence in conclusion(results.summary):
        show(sentence)
    show("Knock-outs at inference, weights unchanged; 95 % intervals. Probes are linear.")
    show(f"Rows, summary and settings are in {out}; python -m latentlab.report shows the answers.")


if __name__ == "__main__":
    sys.exit(run(TraceConfig, main, "trace"))

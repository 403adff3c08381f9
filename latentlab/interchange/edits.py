"""Questions on edited pictures: the mark that one hop reads names another object.

Which questions allow it, and what they are then, is a matter of the data alone. The edit is the one
that mediation calls `relink`, drawn from the same stream, so that both are about the same pictures.
"""

from collections.abc import Callable
from dataclasses import dataclass

from latentlab.data import Benchmark, Example, Examples
from latentlab.data.counterfactual import relink
from latentlab.data.perturb import example_stream
from latentlab.errors import UserError
from latentlab.interchange.config import InterchangeConfig
from latentlab.study.asked import load_for

DONOR = "counterfactual"
"""What --donor calls them."""


@dataclass(frozen=True)
class Edit:
    """A question, and the same question on the picture with one mark changed."""

    example: Example
    """The question as it is."""

    donor: Example
    """On the edited picture."""

    hop: int
    """Which hop reads the mark, counted from 1."""

    @property
    def needed(self) -> int:
        """The cell whose mark is changed."""
        assert self.example.trace is not None
        return self.example.trace.cells[self.hop - 1]

    @property
    def named(self) -> int:
        """The cell that the changed mark leads to."""
        assert self.donor.trace is not None
        return self.donor.trace.cells[self.hop]


def hops_of(config: InterchangeConfig) -> tuple[int | None, ...]:
    """The hops asked for; None is the last of each question."""
    return config.hop or (None,)


def edits_of(config: InterchangeConfig, examples: Examples, hop: int | None) -> list[Edit]:
    """The questions whose mark of a hop can be changed so that the answer is another option.

    Args:
        config: the flags; the data have to be the benchmark, which can draw a picture again.
        examples: the questions.
        hop: whose mark, counted from 1; None takes the last of each question.
    """
    benchmark = load_for(config)
    if not isinstance(benchmark, Benchmark):
        return []
    found = []
    for example in examples:
        at = (example.hops or 0) if hop is None else hop
        stream = example_stream(example, config.seed, f"relink {at}")
        donor = relink(example, at, benchmark, stream) if at else None
        if donor is not None:
            found.append(Edit(example, donor, at))
    return found


def check_edits(
    config: InterchangeConfig,
    examples: Examples,
    tell: Callable[[str], None],
    lacking: Callable[[str], None],
) -> None:
    """See whether questions can be asked on edited pictures.

    Args:
        config: the flags.
        examples: the data.
        tell: told, in one line each, how many questions do not allow it.
        lacking: told where none does.

    Raises:
        UserError: questions do not have as many hops.
    """
    most = max((example.hops or 0 for example in examples), default=0)
    for hop in config.hop:
        if hop > most:
            raise UserError(f"--hop {hop}: the questions of {config.data} have {most} hops at most")
    for at in hops_of(config):
        count = len(edits_of(config, examples, at))
        where = "the last hop" if at is None else f"hop {at}"
        if count < 2:
            lacking(
                f"--donor {DONOR} needs the benchmark, to draw a picture again with one mark "
                f"changed; {config.data} allows that for {count} questions at {where}"
            )
        elif count < len(examples):
            tell(f"--donor {DONOR}: {count} of {len(examples)} questions allow it at {where}")

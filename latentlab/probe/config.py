"""Probe latents: what do they hold, at which step, and is it more than any token would hold?

    python -m latentlab.probe --model ivtlr relay gaze
    python -m latentlab.probe --model filler --layer 0 3 --limit 1000

Linear probes read objects and cells of every hop off each latent and each layer of its slot, next
to shuffled labels, other hops, the prompt and the question alone; the answer is also asked for
from the latents alone; and latents are compared with each other and with ordinary tokens.
"""

from dataclasses import dataclass

from latentlab.command import PlannedConfig
from latentlab.errors import UserError

FEWEST = 20
"""Examples that probes need at least."""

ANSWER_TOKENS = 16
"""Tokens after which an answer ends; a model that is cut off from its prompt may find no end."""


MOST_SHUFFLES = 10_000
"""Each is a probe of its own."""


@dataclass(frozen=True, kw_only=True)
class ProbeConfig(PlannedConfig):
    """Flags of `python -m latentlab.probe`."""

    model: tuple[str, ...] = ("ivtlr", "relay", "gaze")
    """Models, each the name of an embedded organism, the folder of a checkpoint or a hub name."""

    limit: int = 2000
    """Number of examples at most; probes of many names need many."""

    shuffles: int = 5
    """Number of times that labels are shuffled, for the control of each probe."""

    layer: tuple[int, ...] = ()
    """Decoder layers to read, counted from 0; by default all. What a step is fed is always read."""

    def __post_init__(self) -> None:
        """Refuse what probes cannot work with."""
        super().__post_init__()
        if self.limit < FEWEST:
            raise UserError(f"--limit {self.limit} is too small: probes need {FEWEST} examples")
        if self.shuffles < 1:
            raise UserError(f"--shuffles {self.shuffles} is too small: it is at least 1")
        if self.shuffles > MOST_SHUFFLES:
            raise UserError(f"--shuffles is too large: it is at most {MOST_SHUFFLES}")
        if len(set(self.layer)) < len(self.layer):
            raise UserError(f"--layer names one layer twice: {' '.join(map(str, self.layer))}")

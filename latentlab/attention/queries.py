"""Which positions of a rollout attention is read at: one for each step, in either mode.

A step is read at the query it begins from: the last position of the prompt for step 1, the position
that ends step t - 1 for step t. What this query attends to decides what the step holds, in latents
as in words, so both modes are compared step by step. In the benchmark it has to read the mark in
the cell of hop t - 1, which names the object of hop t.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latentlab.reasoning.trajectory import Trajectory


@dataclass(frozen=True, eq=False)
class Query:
    """The position that a step begins from, in every example of a batch."""

    step: int
    """The step, counted from 1; 0 for a model without steps."""

    name: str
    """Which position this is."""

    rows: Float[Tensor, "layers batch heads keys"]
    """Its attention."""

    reached: Bool[Tensor, " batch"]
    """False where an example had stopped before (`Words.ended`, `Latent.taken`)."""

    picks: Int[Tensor, "batch k"] | None
    """The patches that were picked at this position, if any were."""


def queries(prefix: Trajectory, state: Trajectory) -> list[Query]:
    """The queries of a rollout in order, from the prompt's end to the one before the last step.

    Args:
        prefix: the prompt, run with attention captured.
        state: what followed from it.
    """
    assert prefix.row is not None, "a rollout without captured layers has no attention to read"
    steps = max(len(state.latents), 1)
    ends, picks = state.rows[1:], [latent.picks for latent in state.latents]
    last = "last position of latent step {}"
    if state.words:
        # A written step picks its patches at its own end, a latent step before it begins.
        ends, picks = state.rows[:-1], [None, *picks]
        last = "last word of written step {}"
    everyone = torch.ones(len(state.kinds), dtype=torch.bool, device=state.kinds.device)
    found = []
    for number, rows in enumerate([prefix.row, *ends][:steps]):
        first = number == 0
        reached = None if first else state.latents[number - 1].taken
        if state.words and not first:
            reached = state.words[number - 1].ended
        found.append(
            Query(
                step=number + 1 if state.latents else 0,
                name="last position of the prompt" if first else last.format(number),
                rows=rows,
                reached=everyone if reached is None else reached,
                picks=picks[number] if picks else None,
            )
        )
    return found

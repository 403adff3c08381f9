"""Blocks of latent steps between two tokens, opened and ended by the plan or by the model itself.

Where the model opens its block it first writes text, greedily and on a fork of the sequence, as far
as the start token; what was found is then run in one pass in which all examples end together, as
steps in words are (`words`). One that does not come to the start token goes on from its prompt as
if it had no plan. In a block of free length the head is asked before each step: where the end token
is likeliest the example takes no further one, and its slots are padding from there on. A rollout
has one block; a start token that is written after it is text like any other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.said import Words
from latentlab.reasoning.trajectory import Trajectory
from latentlab.reasoning.words import Writer, draft

OPENING = -2
"""The rollout's pass_index while the text that opens a block is run."""


class BlockWriter(Writer, Protocol):
    """What a block takes of the engine that runs it."""

    plan: LatentPlan
    """How the model reasons; its markers are ids."""


@dataclass(frozen=True)
class Opening:
    """Where the text that opens a block ends."""

    start: int
    """The start token."""

    stops: frozenset[int]
    """Tokens after which no block follows."""

    longest: int
    """Tokens after which the text is given up."""

    def ends(self, text: Sequence[int]) -> bool:
        """Whether a text so far is all of it."""
        return text[-1] == self.start or len(text) >= self.longest


def open_block(rollout: BlockWriter, state: Trajectory) -> None:
    """Let the model write until it opens its block, and append what it wrote.

    Args:
        rollout: the engine.
        state: the sequence, which grows; examples that open no block stay as they are.
    """
    start = _id(rollout.plan.start_token)
    stops = rollout.step_ends.stops if rollout.step_ends else frozenset[int]()
    found = draft(rollout, state, Opening(start, stops, rollout.plan.lead))
    opened = [row[-1:] == [start] for row in found.rows]
    rows = [row if one else [] for row, one in zip(found.rows, opened, strict=True)]
    words = Words.of(rows, opened).to(state.hidden.device)
    rollout.pass_index = OPENING
    rollout.write(state, words.ids, words.kinds, keep_row=True)
    state.markers.append(words)
    state.inside = words.ended


def end_at_will(rollout: BlockWriter, state: Trajectory) -> None:
    """Take out of the block those whose head finds the end token likeliest."""
    likeliest = rollout.backbone.logits(state.hidden).argmax(-1)
    state.inside = state.going_on & (likeliest != _id(rollout.plan.end_token))


def close_block(rollout: BlockWriter, state: Trajectory) -> None:
    """Append the end token for all that opened a block."""
    opened = [True] * len(state.hidden)
    if rollout.plan.lead:
        opened = state.markers[0].ended.tolist()
    end = _id(rollout.plan.end_token)
    words = Words.of([[end] if one else [] for one in opened], opened).to(state.hidden.device)
    rollout.pass_index = rollout.plan.steps + 1
    rollout.write(state, words.ids, words.kinds)
    state.markers.append(words)


def _id(marker: int | str | None) -> int:
    """A marker of a plan that the engine runs."""
    assert isinstance(marker, int), "the engine refuses plans whose markers are no ids"
    return marker

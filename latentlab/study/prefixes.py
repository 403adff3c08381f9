"""The prompts of a batch, run once for all arms that can go on from the same prefix."""

import time
from collections.abc import Sequence

from latentlab.backbones import Batch
from latentlab.backbones.inputs import Embedded
from latentlab.reasoning.interventions import PromptReplace
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.trajectory import Trajectory


class Prefixes:
    """The prompts of a batch, run once for all arms that can go on from the same prefix."""

    def __init__(self, prompts: Batch, seconds: float) -> None:
        """Begin without any.

        Args:
            prompts: the batch.
            seconds: what making the batch took.
        """
        self._prompts = prompts
        self._seconds = seconds
        self._merged: Embedded | None = None
        self._made: list[tuple[Trajectory, float]] = []

    def of(
        self, rollout: Rollout, edits: Sequence[PromptReplace] = (), shared: bool = True
    ) -> tuple[Trajectory, float]:
        """A prefix for a rollout, and the seconds from text and picture to it.

        Args:
            rollout: the engine.
            edits: what is done to the prompt's embeddings; with any, the prefix is made anew.
            shared: whether nothing acts inside the model, so that others can go on from it.
        """
        shared = shared and not edits
        if shared:
            for state, seconds in self._made:
                if rollout.continues(state):
                    return state, seconds
        if self._merged is None:
            started = time.perf_counter()
            self._merged = rollout.backbone.merge(self._prompts)
            self._seconds += time.perf_counter() - started
        started = time.perf_counter() - self._seconds
        state = rollout.prefill(self._prompts, edits, self._merged)
        made = state, time.perf_counter() - started
        if shared:
            self._made.append(made)
        return made

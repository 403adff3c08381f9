"""The undisturbed run of a batch, kept at every step: where runs that differ later go on from.

A run whose first edit is at step t takes the steps before it as they are. It then goes on from the
very state that it would have computed, so that its numbers are those of a run of its own, to the
last bit.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from latentlab.reasoning.bank import Bank
from latentlab.reasoning.interventions import Intervention
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.sources import Context
from latentlab.reasoning.trajectory import Trajectory


@dataclass(frozen=True, eq=False)
class Undisturbed:
    """A rollout without interventions, with the states that it went through."""

    states: tuple[Trajectory, ...]
    """The state before each step, and after the last."""

    seconds: tuple[float, ...]
    """What it took to get to each of them from the first."""

    own: Bank
    """Its latents."""

    shared: bool
    """Whether other runs can go on from each state: all examples take all steps."""

    @classmethod
    def of(cls, rollout: Rollout, prefix: Trajectory) -> "Undisturbed":
        """Run a plan's latent steps from a prefix, which stays as it was.

        Under a plan whose steps are not alike for all (`LatentPlan.alike`) only both ends are kept.

        Raises:
            UserError: an image has too few patches, or given picks do not fit it.
        """
        started = time.perf_counter()
        states, seconds = [prefix], [0.0]
        alike = rollout.plan.alike
        counts = range(1, rollout.plan.steps) if alike else ()
        for count in [*counts, rollout.plan.steps]:
            states.append(rollout.reason(states[-1], until=count))
            seconds.append(time.perf_counter() - started)
        whole = states[-1]
        # One copy of keys and values serves all.
        states = [_with_cache_of(whole, state) for state in states]
        own = Bank.of(prefix.batch.examples, [whole.latents])
        return cls(tuple(states), tuple(seconds), own, alike)

    def at(self, step: int) -> Trajectory:
        """A state to take a step from, counted from 0: before it, or else before the first."""
        return self.states[step if self.shared else 0]

    def before(self, rollout: Rollout, edits: Sequence[Intervention]) -> tuple[Trajectory, float]:
        """The last state that a run with edits has in common with it, and the seconds to there."""
        whole = self.states[-1]
        if not self.shared:
            return self.states[0], 0.0
        empty = rollout.placeholder if edits else None
        context = Context(whole.batch.examples, empty, rollout.seed, self.own, whole.patches)
        for step, latent in enumerate(whole.latents):
            edited = latent
            for edit in edits:
                edited = edit.edit(edited, step, context)
            if edited is not latent:
                return self.states[step], self.seconds[step]
        return whole, self.seconds[-1]


def _with_cache_of(whole: Trajectory, state: Trajectory) -> Trajectory:
    """A state whose keys and values are those of a longer run, cut to its length."""
    cut = whole.fork()
    cut.cache.crop(state.kinds.shape[1] - whole.kinds.shape[1])
    fork = state.fork()
    fork.cache = cut.cache
    return fork

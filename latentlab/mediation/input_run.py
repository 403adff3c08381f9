"""A batch run on one version of its input: what mediation takes latents from and puts them into.

Every input is read once per batch; all runs with latents from elsewhere go on from forks of its
prefix. Runs of one batch have the same shape, so that doing nothing is bit for bit nothing.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from latentlab.data import Example
from latentlab.mediation.mediators import Mediator
from latentlab.reasoner import Reasoner
from latentlab.reasoning.activations import Activations, Site, patched, record
from latentlab.reasoning.decode import option_logprobs
from latentlab.reasoning.interventions import Replace
from latentlab.reasoning.sources import Given
from latentlab.reasoning.together import can_join, reason_together
from latentlab.reasoning.trajectory import Trajectory
from latentlab.reasoning.undisturbed import Undisturbed
from latentlab.reasoning.visibility import Kind
from latentlab.study.batches import shares

Options = Sequence[Sequence[Sequence[int]]]
"""Token ids of the options of each example."""


class InputRun:
    """A batch run on one version of its input, ready to be run again with other latents."""

    def __init__(self, reasoner: Reasoner, inputs: Sequence[Example], seed: int, slots: bool):
        """Read the input and take the latent steps.

        Args:
            reasoner: the model.
            inputs: the examples of the batch, as they are or perturbed.
            seed: seed of random picks.
            slots: whether to keep what happens in the slots, for mediators of that name.
        """
        self._reasoner = reasoner
        self._rollout = reasoner.rollout(seed=seed)
        batch = reasoner.batch(inputs)
        middle = (reasoner.backbone.n_layers - 1) // 2
        with record(self._rollout, [middle]) as prompt:
            self._prefix = self._rollout.prefill(batch)
        self.ordinary = prompt[Site(0, middle)]
        """(batch, hidden) residual stream in the middle of the model at the prompt's last token: an
        ordinary token state to compare latents with."""
        width = int(reasoner.plan.text) + self._slots_of_vision()
        positions = range(-width, 0)
        keeping: Any = record(self._rollout, positions=positions) if slots else nullcontext({})
        with keeping as kept:
            self._undisturbed = Undisturbed.of(self._rollout, self._prefix)
        self.state, self.bank = self._undisturbed.states[-1], self._undisturbed.own
        self._kept: Activations = kept

    def taking(self, other: "InputRun", mediator: Mediator) -> Trajectory:
        """Take the latent steps again on this input, with a mediator as the other run had it."""
        edit = Replace(mediator.part, Given(other.bank), mediator.steps)
        values = other._sites(mediator) if mediator.name == "slots" else {}
        # What is kept of the slots is put there together with the step's latents, never before.
        state, _ = self._undisturbed.before(self._rollout, (edit,))
        with patched(self._rollout, values) if values else nullcontext():
            return self._rollout.reason(state, (edit,))

    def option_logprobs(self, state: Trajectory, options: Options) -> list[list[float]]:
        """Log-likelihood of each option right after the latent steps, in nats."""
        state.check_finite()
        marker = self._reasoner.prompter.marker_ids
        before = (marker, [int(Kind.ANSWER)] * len(marker))
        return option_logprobs(self._rollout, state, [before] * len(options), options)

    def says_taking(
        self,
        other: "InputRun",
        mediators: Sequence[Mediator],
        options: Options,
        sequences: int = 0,
    ) -> dict[Mediator, list[list[float]]]:
        """`option_logprobs` after `taking`, for several mediators.

        Args:
            other: the run that mediators are taken from.
            mediators: what is taken, run by run.
            options: token ids of the options of each example.
            sequences: rows that may run at a time, so that mediators which are no more than latents
                run as rows of one batch where there is room; 0 runs each alone.
        """
        size = len(self._prefix.batch.examples)
        says: dict[Mediator, list[list[float]]] = {}
        several, joined = sequences // size, [m for m in mediators if m.name == "latents"]
        if several < 2 or len(joined) < 2 or not can_join(self._rollout.plan):
            joined = []
        for share in shares(joined, several):
            runs = [(Replace(m.part, Given(other.bank), m.steps),) for m in share]
            state = reason_together(self._rollout, self._prefix, runs)
            found = self.option_logprobs(state, [*options] * len(share))
            says |= {m: found[i * size : (i + 1) * size] for i, m in enumerate(share)}
        for mediator in mediators:
            if mediator not in says:
                state = self.taking(other, mediator)
                says[mediator] = self.option_logprobs(state, options)
        return says

    def _slots_of_vision(self) -> int:
        """Vision slots of a step."""
        plan = self._reasoner.plan
        return self._prefix.patches.exists.shape[1] if plan.select == "all" else plan.k

    def _sites(self, mediator: Mediator) -> Activations:
        """What was kept at the slots of a mediator."""
        plan, vision = self._reasoner.plan, self._slots_of_vision()
        texts = {-1 if plan.part_order == "vision_text" else -vision - 1} if plan.text else set()
        chosen = {
            "latent_text": texts,
            "latent_vision": set(range(-vision - int(plan.text), 0)) - texts,
            "latent": set(range(-vision - int(plan.text), 0)),
        }[mediator.part]
        steps = range(1, plan.steps + 1) if mediator.steps is None else mediator.steps
        return {
            site: value
            for site, value in self._kept.items()
            if site.position in chosen and site.pass_index in steps
        }

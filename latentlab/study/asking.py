"""One batch of examples, asked in the way of every arm of a study.

The prompt's prefix is computed once for all arms that can go on from it, and so are the steps
before the first that an arm edits; changed inputs are run once for all arms that change them alike,
and arms share passes where there is room (`study.joined`).
"""

import time
from collections.abc import Sequence

from latentlab.answers import Answer
from latentlab.backbones import Batch
from latentlab.data.example import Example
from latentlab.data.perturb import Perturbation
from latentlab.reasoner import Reasoner
from latentlab.reasoning.bank import Bank
from latentlab.reasoning.interventions import Hooked, applied, edits_of
from latentlab.reasoning.trajectory import Trajectory
from latentlab.reasoning.undisturbed import Undisturbed
from latentlab.study.arms import Arm
from latentlab.study.joined import answers_joined
from latentlab.study.prefixes import Prefixes
from latentlab.study.rationale import Rationales
from latentlab.study.rationale_run import answer_after, write

Asked = tuple[list[Answer], list[bool], Trajectory | None]
"""Answers, which examples allow the arm, and the state after its steps, where it was run alone."""


class Asking:
    """Asks a batch, arm by arm."""

    def __init__(
        self,
        reasoner: Reasoner,
        examples: Sequence[Example],
        arms: Sequence[Arm],
        seed: int = 0,
        max_new_tokens: int = 64,
        at_once: bool = False,
        sequences: int = 0,
    ) -> None:
        """Word the prompts, and run what arms share.

        Args:
            reasoner: the model.
            examples: the batch.
            arms: all arms.
            seed: the run's seed.
            max_new_tokens: longest answer.
            at_once: whether the answer has to follow the latent steps at once.
            sequences: rows that may run at a time; 0 runs every arm alone.
        """
        self.reasoner, self.examples, self.arms = reasoner, examples, arms
        self.seed, self.max_new_tokens, self.at_once = seed, max_new_tokens, at_once
        self.prompts, self._prefixes = self._prepared(examples)
        self._changed: dict[Perturbation, tuple[Prefixes, list[bool]]] = {}
        self._written: Rationales | None = None
        self._undisturbed: Undisturbed | None = None
        if any(arm.interventions for arm in arms):
            untouched = reasoner.rollout(seed=seed)
            prefix, _ = self._prefixes.of(untouched)
            self._undisturbed = Undisturbed.of(untouched, prefix)
        self._joined = answers_joined(
            reasoner,
            examples,
            arms,
            self._prefixes,
            self._own,
            sequences,
            seed,
            max_new_tokens,
            at_once,
        )

    def __call__(self, number: int) -> Asked:
        """Ask in the way of one arm, counted from 0."""
        if number in self._joined:
            return self._joined[number], [True] * len(self.examples), None
        arm, reasoner = self.arms[number], self.reasoner
        rollout = reasoner.rollout(arm.plan, self.seed + (arm.draw if arm.plan else 0))
        prefixes, allowed = self._version(arm.change)
        with applied(rollout, arm.interventions):
            outside = not any(isinstance(one, Hooked) for one in arm.interventions)
            prefix, seconds = prefixes.of(rollout, arm.prompt_edits, outside)
            if outside and not (arm.plan or arm.prompt_edits or arm.change) and self._undisturbed:
                prefix, more = self._undisturbed.before(rollout, edits_of(arm.interventions))
                seconds += more
            started = time.perf_counter() - seconds
            state = rollout.reason(prefix, arm.interventions, self._own)
            longest = self.max_new_tokens
            if arm.rationale is None:
                answers = reasoner.decode(
                    rollout, state, self.examples, longest, started, self.at_once
                )
            else:
                written = self._written or write(reasoner, rollout, state, longest)
                self._written = written
                words = arm.rationale.edit(written, self.seed)
                state = state.skip(arm.rationale.gaps(written))
                answers = answer_after(
                    reasoner, rollout, state, self.examples, words, longest, started
                )
        return answers, allowed, state

    @property
    def _own(self) -> Bank | None:
        """The batch's undisturbed latents."""
        return self._undisturbed.own if self._undisturbed else None

    def _version(self, change: Perturbation | None) -> tuple[Prefixes, list[bool]]:
        """Prefixes of the input as it is or as changed, and which examples allow the change.

        Those that do not allow it run unchanged.
        """
        if change is None:
            return self._prefixes, [True] * len(self.examples)
        if change not in self._changed:
            new = [change.edit(example) for example in self.examples]
            pairs = zip(new, self.examples, strict=True)
            _, prefixes = self._prepared([after or before for after, before in pairs])
            self._changed[change] = prefixes, [after is not None for after in new]
        return self._changed[change]

    def _prepared(self, examples: Sequence[Example]) -> tuple[Batch, Prefixes]:
        """A batch whose given picks, where the model needs them, reach as far as any arm goes."""
        started = time.perf_counter()
        longest = max((arm.plan.steps for arm in self.arms if arm.plan is not None), default=0)
        own = self.reasoner.plan
        prompts = self.reasoner.batch(examples, own.replace(steps=max(longest, own.steps)))
        return prompts, Prefixes(prompts, time.perf_counter() - started)

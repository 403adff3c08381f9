"""Which exchanges the flags ask of a model, and asking it questions under them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import pandas as pd

from latentlab.data import Example
from latentlab.interchange.config import InterchangeConfig
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan
from latentlab.study.arms import Arm
from latentlab.study.run import run_arms
from latentlab.vocabulary import LatentPart, StepSets, steps_label


@dataclass(frozen=True)
class Swap:
    """One exchange: which part, at which steps."""

    part: LatentPart
    """What is exchanged."""

    steps: tuple[int, ...]
    """At which steps, in a row and counted from 1."""

    step_set: StepSets
    """What sort of steps these are."""

    @property
    def at(self) -> str:
        """The steps as tables name them."""
        return steps_label(self.steps)


def parts_of(config: InterchangeConfig, plan: LatentPlan) -> tuple[LatentPart, ...]:
    """The parts of a model to exchange; none if it takes no latent steps."""
    asked = config.part or get_args(LatentPart)
    return tuple(part for part in asked if plan.steps and plan.has_part(part))


def swaps_of(config: InterchangeConfig, plan: LatentPlan) -> list[Swap]:
    """Every exchange on a model, those of fewest steps first; the widest comes last.

    Steps that several words cover are exchanged once, and count as `all` or else as `each`.
    """
    count = plan.steps
    ranges: dict[StepSets, list[tuple[int, ...]]] = {
        "cumulative": [tuple(range(1, last + 1)) for last in range(1, count + 1)],
        "each": [(step,) for step in range(1, count + 1)],
        "all": [tuple(range(1, count + 1))],
    }
    called = {steps: word for word in ranges for steps in ranges[word]}
    asked = sorted({steps for word in config.steps for steps in ranges[word]}, key=_breadth)
    return [Swap(part, steps, called[steps]) for part in parts_of(config, plan) for steps in asked]


def ask(
    config: InterchangeConfig, reasoner: Reasoner, questions: Sequence[Example], *arms: Arm
) -> pd.DataFrame:
    """Run arms on questions as the flags say."""
    return run_arms(
        reasoner,
        questions,
        arms,
        config.data,
        config.batch_size,
        config.seed,
        config.max_new_tokens,
        at_once=config.answer == "at_once",
    )


def _breadth(steps: tuple[int, ...]) -> tuple[int, ...]:
    """Key that sorts sets of steps by how many there are, then by which."""
    return len(steps), *steps

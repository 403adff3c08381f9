"""Arms that run as rows of one batch, where there is room for more rows than examples.

`--batch-size` is how many sequences run at a time. A batch with fewer examples than that, such as a
single question, is filled up with arms: those that differ in nothing but what is done to latents.
Arms that must be equal to the last bit, which are the untouched run and the shams, each run on
their own.
"""

import time
from collections.abc import Sequence

from latentlab.answers import Answer
from latentlab.data.example import Example
from latentlab.reasoner import Reasoner
from latentlab.reasoning.bank import Bank
from latentlab.reasoning.interventions import edits_of
from latentlab.reasoning.together import can_join, reason_together
from latentlab.study.arms import Arm
from latentlab.study.batches import shares
from latentlab.study.prefixes import Prefixes


def joinable(reasoner: Reasoner, arm: Arm) -> bool:
    """Whether an arm does nothing but edit the latents of the model's own plan."""
    edits = edits_of(arm.interventions)
    return (
        not arm.is_exact
        and bool(edits)
        and len(edits) == len(arm.interventions)
        and arm.plan is None
        and not arm.prompt_edits
        and arm.change is None
        and arm.rationale is None
        and can_join(reasoner.plan)
    )


def answers_joined(
    reasoner: Reasoner,
    examples: Sequence[Example],
    arms: Sequence[Arm],
    prefixes: Prefixes,
    own: Bank | None,
    sequences: int,
    seed: int = 0,
    max_new_tokens: int = 64,
    at_once: bool = False,
) -> dict[int, list[Answer]]:
    """Answers of the arms that share a batch, by the number of the arm.

    Args:
        reasoner: the model.
        examples: the batch.
        arms: all arms; those that share no batch are left out of what is returned.
        prefixes: the batch's prompts.
        own: the batch's undisturbed latents.
        sequences: rows that run at a time at most.
        seed: the run's seed.
        max_new_tokens: longest answer.
        at_once: whether the answer has to follow the latent steps at once.
    """
    several = sequences // len(examples)
    numbers = [i for i, arm in enumerate(arms) if joinable(reasoner, arm)]
    if several < 2 or len(numbers) < 2:
        return {}
    rollout = reasoner.rollout(seed=seed)
    prefix, seconds = prefixes.of(rollout)
    found: dict[int, list[Answer]] = {}
    for share in shares(numbers, several):
        begun = time.perf_counter() - seconds
        runs = [edits_of(arms[i].interventions) for i in share]
        state = reason_together(rollout, prefix, runs, own)
        asked = list(examples) * len(share)
        answers = reasoner.decode(rollout, state, asked, max_new_tokens, begun, at_once)
        for row, number in enumerate(share):
            found[number] = answers[row * len(examples) : (row + 1) * len(examples)]
    return found

"""A study: examples x arms -> tidy rows, one row per example and arm.

An `Arm` is one way to run a model: its plan, perhaps changed, and interventions on the latents. The
prompt's prefix is computed once per batch and every arm goes on from it, which is what makes a table
of thirty arms affordable.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch

from latentlab.console import track
from latentlab.data.example import Example
from latentlab.measures.scores import lenient_match
from latentlab.reasoner import Answer, Reasoner
from latentlab.reasoning.interventions import Bank, Intervention
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.trajectory import Latent

UNTOUCHED = "none"
"""Name of the arm without any intervention."""


@dataclass(frozen=True, eq=False)
class Arm:
    """One way to run a model on an example."""

    name: str = UNTOUCHED
    """What is done, as tables name it."""

    kind: str = "none"
    """What sort of comparison it is: none, knock-out at inference, control, ..."""

    control_of: str = ""
    """The arm that this one is the matched control of."""

    plan: LatentPlan | None = None
    """A changed plan; None keeps the model's own."""

    interventions: tuple[Intervention, ...] = ()
    """What is done to the latents, in order."""


def batches(examples: Sequence[Example], size: int) -> Iterator[list[Example]]:
    """Cut examples into batches, keeping those with and without an image apart."""
    pending: dict[bool, list[Example]] = {True: [], False: []}
    for i in range(len(examples)):
        example = examples[i]
        group = pending[example.image is not None]
        group.append(example)
        if len(group) == size:
            yield group.copy()
            group.clear()
    yield from (group for group in pending.values() if group)


@torch.no_grad()
def run_arms(
    reasoner: Reasoner,
    examples: Sequence[Example],
    arms: Sequence[Arm],
    data: str,
    batch_size: int = 64,
    seed: int = 0,
    max_new_tokens: int = 64,
) -> pd.DataFrame:
    """Run every arm on every example.

    Args:
        reasoner: the model.
        examples: what to ask it.
        arms: what to do to it.
        data: name of the data, for the rows.
        batch_size: examples per forward pass.
        seed: seed of random picks, noise and donors.
        max_new_tokens: longest answer.

    Returns:
        One row per example and arm: who and what (`model, data, example, domain, topic, hops,
        intervention, kind, control_of`), the answer (`text, choice, correct, correct_likelihood,
        correct_lenient, gold_logprob`), and its cost (`latent_steps, new_tokens,
        autoregressive_steps, seconds`).
    """
    rows: list[dict[str, Any]] = []
    total = -(-len(examples) // batch_size)
    for batch_examples in track(batches(examples, batch_size), reasoner.name, total):
        started = time.perf_counter()
        prompts = reasoner.prompter.batch(batch_examples, reasoner.plan)
        rollout = reasoner.rollout(seed=seed)
        prefix = rollout.prefill(prompts.to(reasoner.backbone.device))
        prefix_seconds = time.perf_counter() - started
        for arm in arms:
            started = time.perf_counter() - prefix_seconds
            rollout = reasoner.rollout(arm.plan, seed)
            state = rollout.reason(prefix, arm.interventions)
            answers = reasoner.decode(rollout, state, batch_examples, max_new_tokens, started)
            for example, answer in zip(batch_examples, answers, strict=True):
                rows.append(
                    {
                        "model": reasoner.name,
                        "data": data,
                        "example": example.id,
                        "domain": example.domain,
                        "topic": example.topic,
                        "hops": example.hops,
                        "intervention": arm.name,
                        "kind": arm.kind,
                        "control_of": arm.control_of,
                        **score(example, answer),
                    }
                )
    return pd.DataFrame(rows)


def score(example: Example, answer: Answer) -> dict[str, Any]:
    """Score one answer, strictly and by likelihood, with the published lenient score beside."""
    gold = example.choices.index(example.answer) if example.choices else None
    return {
        "text": answer.text,
        "choice": answer.choice,
        "correct": gold is not None and answer.choice == gold,
        "correct_likelihood": gold is not None and answer.likeliest == gold,
        "correct_lenient": gold is not None and lenient_match(answer.text, example.letter),
        "gold_logprob": answer.option_logprobs[gold] if gold is not None else None,
        "latent_steps": answer.latent_steps,
        "new_tokens": answer.new_tokens,
        "autoregressive_steps": answer.autoregressive_steps,
        "seconds": answer.seconds,
    }


@torch.no_grad()
def reference_bank(
    reasoner: Reasoner, examples: Sequence[Example], batch_size: int = 64, seed: int = 0
) -> Bank:
    """Run examples undisturbed and keep their latents, for means, deviations and donors."""
    steps: list[list[Latent]] = []
    names: list[str] = []
    rollout = reasoner.rollout(seed=seed)
    for batch_examples in batches(examples, batch_size):
        prompts = reasoner.prompter.batch(batch_examples, reasoner.plan)
        steps.append(rollout(prompts.to(reasoner.backbone.device)).latents)
        names += prompts.examples
    return Bank.of(names, steps)

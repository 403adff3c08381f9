"""The runs of a mediation study: inputs perturbed, latents taken from the other run.

Every input is read once per batch; all runs with latents from elsewhere go on from forks of its
prefix. Runs of one batch have the same shape, so that doing nothing is bit for bit nothing.
"""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from latentlab.console import note, track
from latentlab.data.example import Example
from latentlab.data.perturb import Perturbation
from latentlab.instruments.ablation.arms import PARTS
from latentlab.instruments.mediation.mediators import (
    Mediator,
    mediators,
    perturbations_of,
    takes_latent_steps,
)
from latentlab.instruments.mediation.moving import Spreads, movement_rows, reference_spreads
from latentlab.measures.effect_lines import DISTANCES, EFFECT
from latentlab.measures.effects import OUTCOMES, outcomes, with_effects
from latentlab.reasoner import Reasoner
from latentlab.reasoning.activations import Activations, Site, patched, record
from latentlab.reasoning.decoding import option_logprobs
from latentlab.reasoning.interventions import Replace
from latentlab.reasoning.sources import Bank, Given
from latentlab.reasoning.trajectory import Trajectory
from latentlab.reasoning.visibility import Kind
from latentlab.study import batches

if TYPE_CHECKING:  # the command imports this module, late
    from latentlab.mediation import MediationConfig


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
        batch = reasoner.prompter.batch(inputs, reasoner.plan).to(reasoner.backbone.device)
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
            self.state = self._rollout.reason(self._prefix)
        self.bank = Bank.of(batch.examples, [self.state.latents])
        self._kept: Activations = kept

    def taking(self, other: "InputRun", mediator: Mediator) -> Trajectory:
        """Take the latent steps again on this input, with a mediator as the other run had it."""
        edit = Replace(PARTS[mediator.part], Given(other.bank), mediator.steps)
        values = other._sites(mediator) if mediator.name == "slots" else {}
        with patched(self._rollout, values) if values else nullcontext():
            return self._rollout.reason(self._prefix, (edit,))

    def option_logprobs(
        self, state: Trajectory, options: Sequence[Sequence[Sequence[int]]]
    ) -> list[list[float]]:
        """Log-likelihood of each option right after the latent steps, in nats."""
        state.check_finite()
        marker = self._reasoner.prompter.marker_ids
        before = (marker, [int(Kind.ANSWER)] * len(marker))
        return option_logprobs(self._rollout, state, [before] * len(options), options)

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
        steps = range(plan.steps) if mediator.steps is None else mediator.steps
        return {
            site: value
            for site, value in self._kept.items()
            if site.position in chosen and site.clock - 1 in steps
        }


@torch.no_grad()
def rows_of(
    config: "MediationConfig",
    reasoner: Reasoner,
    examples: Sequence[Example],
    references: Sequence[Example],
) -> pd.DataFrame:
    """Measure how a model's latents move with the input and what they carry of its effect.

    Args:
        config: the flags.
        reasoner: a model that takes latent steps; one that takes none has no rows.
        examples: what to ask it.
        references: at least two others, to measure the spread of its latents (`studies.divide`).

    Returns:
        Rows of two sorts in one table, told apart by `measure` (docs/mediation.md lists the
        columns): `effect`, one per example, perturbation, hop, mediator, part, steps and outcome,
        and `movement`, one per example, perturbation, hop, part and step. Examples that do not
        allow a perturbation have no rows for it.
    """
    if not takes_latent_steps(reasoner.plan):
        return pd.DataFrame()
    edits, left_out = perturbations_of(config, reasoner, examples)
    for message in left_out:
        note(f"{reasoner.name}: {message}")
    chosen = mediators(config, reasoner.plan)
    spreads = reference_spreads(
        InputRun(reasoner, [example for _, example in numbered], config.seed, slots=False)
        for numbered in batches(references, config.batch_size)
    )
    total = -(-len(examples) // config.batch_size)
    frames = [
        frame
        for numbered in track(batches(examples, config.batch_size), reasoner.name, total)
        for frame in _of_batch(config, reasoner, numbered, edits, chosen, spreads)
    ]
    rows = pd.concat(frames, ignore_index=True)
    n = len(examples)
    for order, edit in enumerate(edits):
        lacking = n - rows.loc[rows["order"] == order, "example"].nunique()
        if lacking:
            note(f"{reasoner.name}: {lacking} of {n} examples do not allow {edit.label}; left out")
    rows = rows.sort_values(["order", "index"], kind="stable", ignore_index=True)
    whole = {"hops": "Int64", "hop": "Int64"}
    return with_effects(rows.drop(columns=["order", "index"]).astype(whole))


def _of_batch(
    config: "MediationConfig",
    reasoner: Reasoner,
    numbered: Sequence[tuple[int, Example]],
    edits: Sequence[Perturbation],
    chosen: Sequence[Mediator],
    spreads: Spreads,
) -> Iterator[pd.DataFrame]:
    """Rows of one batch; columns `order` and `index` say where they belong."""
    examples = [example for _, example in numbered]
    slots = any(mediator.name == "slots" for mediator in chosen)
    options = _option_ids(reasoner, examples)
    clean = InputRun(reasoner, examples, config.seed, slots)
    says = clean.option_logprobs(clean.state, options)
    answers = [int(np.argmax(row)) for row in says]
    about = pd.DataFrame([_about(reasoner.name, config.data, i, e) for i, e in numbered])
    for order, edit in enumerate(edits):
        changed = [edit.edit(example) for example in examples]
        allowed = [new is not None for new in changed]
        if not any(allowed):
            continue
        # Where it is not allowed an example runs along unchanged, so that all runs have one shape.
        inputs = [new or old for new, old in zip(changed, examples, strict=True)]
        other = InputRun(reasoner, inputs, config.seed, slots)
        expected = [new.choices.index(new.answer) if new.answer else None for new in inputs]
        named = {"perturbation": edit.name, "hop": edit.hop, "order": order}
        head = about.assign(**named)[allowed]
        for columns in movement_rows(clean, other, spreads):
            moved = head.assign(**{name: value[allowed] for name, value in columns.items()})
            # Where no pick stayed there are no embeddings to compare.
            yield moved.dropna(subset=list(DISTANCES), how="all")
        runs = {"y_clean": says, "y_perturbed": other.option_logprobs(other.state, options)}
        done: dict[Mediator, dict[str, Any]] = {}
        for mediator in chosen:
            whole = mediator.of_whole(reasoner.plan)
            if whole not in done:
                runs["y_direct"] = other.option_logprobs(other.taking(clean, whole), options)
                runs["y_indirect"] = clean.option_logprobs(clean.taking(other, whole), options)
                found = {name: outcomes(said, answers, expected) for name, said in runs.items()}
                done[whole] = found
            taken = {"measure": EFFECT, "mediator": mediator.name, "part": mediator.part}
            for outcome in OUTCOMES:
                values = {name: of[outcome][allowed] for name, of in done[whole].items()}
                frame = head.assign(**taken, steps=mediator.steps_label, outcome=outcome, **values)
                yield frame.dropna(subset=list(values))


def _option_ids(reasoner: Reasoner, examples: Sequence[Example]) -> list[list[list[int]]]:
    """Tokens of each example's options; a tokenizer is slow to call, and options recur."""
    prompter = reasoner.prompter
    texts = [prompter.format.answer_texts(example.choices) for example in examples]
    ids = {text: prompter.answer_ids(text) for text in {t for row in texts for t in row}}
    return [[ids[text] for text in row] for row in texts]


def _about(model: str, data: str, index: int, example: Example) -> dict[str, object]:
    """Who was asked what, as columns."""
    return {
        "index": index,
        "model": model,
        "data": data,
        "example": example.id,
        "domain": example.domain,
        "topic": example.topic,
        "hops": example.hops,
        "question_type": example.question_type,
        "cluster": list(example.clusters),
    }

"""A study: examples x arms -> tidy rows, one row per example and arm.

An `Arm` is one way to run a model: its plan, perhaps changed, and interventions on the latents. The
prompt's prefix is computed once per batch and every arm goes on from it, which is what makes a
table of thirty arms affordable.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import torch

from latentlab.backbones import Batch
from latentlab.console import track
from latentlab.data.example import Example
from latentlab.data.perturb import Perturbation
from latentlab.measures.outcomes import NONE, log_odds, with_outcomes
from latentlab.measures.scores import lenient_match
from latentlab.reasoner import Answer, Reasoner
from latentlab.reasoning.donors import Donors
from latentlab.reasoning.interventions import Intervention, PromptReplace, Replace
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.sources import Bank, Resample
from latentlab.reasoning.trajectory import Trajectory
from latentlab.study.rationale import RationaleEdit, Rationales, answer_after, write
from latentlab.vocabulary import FROZEN, AblatedPart, Action, PositionRule, steps_label


@dataclass(frozen=True, eq=False)
class Arm:
    """One way to run a model on an example.

    What it does stands in its fields and in the columns of its rows (`facts`). The name that tables
    show is made of them and never read.
    """

    action: Action = "none"
    """What is done."""

    part: AblatedPart | Literal[""] = ""
    """To which part; empty where it is to none."""

    steps: tuple[int, ...] | None = None
    """At which latent steps, counted from 1; None means all."""

    source: str = ""
    """What is put there, or the rule by which patches are picked."""

    strength: float | None = None
    """How much: the deviations of noise, the number of steps or patches."""

    control: str = ""
    """What is different from the arm of the same name without it; empty for that arm itself."""

    label: str = ""
    """A name of its own, for what the fields cannot say."""

    kind: str = "none"
    """What sort of comparison it is: none, knock-out at inference, control, ..."""

    plan: LatentPlan | None = None
    """A changed plan; None keeps the model's own."""

    interventions: tuple[Intervention, ...] = ()
    """What is done to the latents, in order."""

    prompt_edits: tuple[PromptReplace, ...] = ()
    """What is done to the prompt's embeddings; such an arm computes a prefix of its own."""

    rationale: RationaleEdit | None = None
    """What is done to the words that the model writes before its answer."""

    change: Perturbation | None = None
    """What is done to the input; such an arm computes a prefix of its own. The latents that an
    intervention puts back are still those of the input as it was, and so is the right answer."""

    context: str = ""
    """What the other steps hold where the arm acts at some of them: remade or frozen."""

    positions: PositionRule | None = None
    """What becomes of later positions, of an arm that changes how many slots there are."""

    draws: int = 1
    """How often it is drawn anew, of an arm in which something is random."""

    draw: int = 0
    """Which of these it is: picks of a changed plan take the run's seed plus this number, and so do
    edits that were given the same. Arms of one name are draws of one arm."""

    @property
    def name(self) -> str:
        """What is done, as tables name it."""
        return f"{self.base}: {self.control}" if self.control else self.base

    @property
    def base(self) -> str:
        """The name of the arm that this one is a control of, or differs from in positions only."""
        if self.action == "none" and not self.label:
            return NONE
        number = "" if self.strength is None else f"{self.strength:g}"
        words = {
            "replace": f"{self.source} {number}".rstrip(),
            "steps": f"steps={number}",
            "k": f"k={number}",
            "select": f"select {self.source}" + (f", k={number}" if number else ""),
        }.get(self.action, self.action)
        told = f"{words} {self.part}" if self.part else words
        told += "" if self.steps is None else f" at step {steps_label(self.steps)}"
        return self.label or told + (FROZEN if self.context == "frozen" else "")

    @property
    def control_of(self) -> str:
        """The arm that this one is the matched control of, or a variant; empty where of none."""
        return self.base if self.control else ""

    @property
    def facts(self) -> dict[str, Any]:
        """What rows say of the arm."""
        return {
            "intervention": self.name,
            "kind": self.kind,
            "control_of": self.control_of,
            "action": self.action,
            "part": self.part,
            "steps": steps_label(self.steps) if self.part or self.steps else "",
            "source": self.source,
            "strength": float("nan") if self.strength is None else self.strength,
            "control": self.control,
            "positions": self.positions or "",
            "context": self.context,
            "draws": self.draws,
        }


def batches(examples: Sequence[Example], size: int) -> Iterator[list[tuple[int, Example]]]:
    """Cut examples, numbered, into batches; those with and without an image are kept apart."""
    pending: dict[bool, list[tuple[int, Example]]] = {True: [], False: []}
    for i in range(len(examples)):
        example = examples[i]
        group = pending[example.image is not None]
        group.append((i, example))
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
    at_once: bool = False,
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
        at_once: whether the answer has to follow the latent steps at once (`Reasoner.decode`).

    Returns:
        One row per example and arm, arm by arm and in the order of the examples (without those that
        do not allow the change of an arm's input): who and what (`model, data, example, domain,
        topic, hops, question_type` and `Arm.facts`), what the answer shares with others (`cluster`:
        the scans that the example reads, and its donor; see `measures.clusters`), the `seed` of its
        random streams, what `score` returns and what `with_outcomes` adds. Where an arm takes
        something from other examples, `donor_example` says which one and `donor_uses` how many rows
        of that arm and seed it lends to; where it edits the prompt, `control_positions` says how
        many positions. Elsewhere these are missing, and so are columns that no arm needs. Only
        `seconds` depends on the batches.
    """
    rows: list[tuple[tuple[int, int], dict[str, Any]]] = []
    total = -(-len(examples) // batch_size)
    for numbered in track(batches(examples, batch_size), reasoner.name, total):
        asked = [example for _, example in numbered]
        started = time.perf_counter()
        prompts = _prompts(reasoner, asked, arms)
        prefixes = Prefixes(prompts, time.perf_counter() - started)
        own = None
        if any(arm.interventions for arm in arms):
            untouched = reasoner.rollout(seed=seed)
            prefix, _ = prefixes.of(untouched)
            own = Bank.of(prompts.examples, [untouched.reason(prefix).latents])
        whole = prefixes, [True] * len(asked)
        changed: dict[Perturbation, tuple[Prefixes, list[bool]]] = {}
        written: Rationales | None = None
        for number, arm in enumerate(arms):
            rollout = reasoner.rollout(arm.plan, seed + (arm.draw if arm.plan else 0))
            if arm.change is not None and arm.change not in changed:
                changed[arm.change] = _changed(reasoner, asked, arm.change, arms)
            version, allowed = changed[arm.change] if arm.change is not None else whole
            prefix, seconds = version.of(rollout, arm.prompt_edits)
            started = time.perf_counter() - seconds
            state = rollout.reason(prefix, arm.interventions, own)
            if arm.rationale is None:
                answers = reasoner.decode(rollout, state, asked, max_new_tokens, started, at_once)
            else:
                written = written or write(reasoner, rollout, state, max_new_tokens)
                words = arm.rationale.edit(written, seed)
                state = state.skip(arm.rationale.gaps(written))
                answers = answer_after(
                    reasoner, rollout, state, asked, words, max_new_tokens, started
                )
            facts = _facts(arm, prompts, seed)
            for (index, example), answer, kept, more in zip(
                numbered, answers, allowed, facts, strict=True
            ):
                if not kept:
                    continue
                row = {
                    "model": reasoner.name,
                    "data": data,
                    "example": example.id,
                    "domain": example.domain,
                    "topic": example.topic,
                    "hops": example.hops,
                    "question_type": example.question_type,
                    "cluster": [*example.clusters, *_lent(more)],
                    **arm.facts,
                    "seed": seed + arm.draw,
                    **more,
                    **score(example, answer, reasoner.prompter.format.answer_form == "letter"),
                }
                rows.append(((number, index), row))
    frame = pd.DataFrame([row for _, row in sorted(rows, key=lambda item: item[0])])
    frame = frame.astype({"hops": "Int64", "choice": "Int64", "correct_lenient": "boolean"})
    return with_outcomes(_with_uses(frame))


def _with_uses(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows with `donor_uses`, and without the columns that none of their arms needs."""
    one = frame.groupby(["intervention", "seed", "donor_example"])["example"]
    frame = frame.assign(donor_uses=one.transform("size"))
    frame = frame.astype({"donor_uses": "Int64", "control_positions": "Int64"})
    columns = ["donor_example", "donor_uses", "control_positions"]
    return frame.drop(columns=[name for name in columns if frame[name].isna().all()])


def _facts(arm: Arm, prompts: Batch, seed: int) -> list[dict[str, Any]]:
    """What an arm's rows say of its donors and of what it overwrites in the prompt."""
    unknown = {"donor_example": None, "control_positions": None}
    facts: list[dict[str, Any]] = [dict(unknown) for _ in prompts.examples]
    lenders: set[tuple[Donors, int]] = set()
    for edit in (*arm.interventions, *arm.prompt_edits):
        if isinstance(edit, (Replace, PromptReplace)) and isinstance(edit.source, Resample):
            lenders.add((edit.source.donors, edit.draw))
    if arm.rationale is not None and arm.rationale.how == "other" and arm.rationale.donors:
        lenders.add((arm.rationale.donors, arm.rationale.draw))
    for donors, draw in lenders:
        for fact, name in zip(facts, donors.names(prompts.examples, seed + draw), strict=True):
            fact["donor_example"] = name
    if arm.prompt_edits:
        lengths = prompts.attention_mask.sum(-1).tolist()
        for fact, example, length in zip(facts, prompts.examples, lengths, strict=True):
            places = [edit.places(example, length, seed) for edit in arm.prompt_edits]
            fact["control_positions"] = sum(map(len, places))
    return facts


def _lent(facts: dict[str, Any]) -> list[str]:
    """The label that a row shares with those which were given the same donor."""
    donor = facts["donor_example"]
    return [] if donor is None else [f"donor {donor}"]


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
        self._made: list[tuple[Trajectory, float]] = []

    def of(self, rollout: Rollout, edits: Sequence[PromptReplace] = ()) -> tuple[Trajectory, float]:
        """A prefix for a rollout, and the seconds from text and picture to it."""
        if not edits:
            for state, seconds in self._made:
                if rollout.continues(state):
                    return state, seconds
        started = time.perf_counter() - self._seconds
        state = rollout.prefill(self._prompts, edits)
        made = state, time.perf_counter() - started
        if not edits:
            self._made.append(made)
        return made


def score(example: Example, answer: Answer, by_letter: bool) -> dict[str, Any]:
    """Score one answer.

    Args:
        example: what was asked; without choices no answer counts as right.
        answer: what was said.
        by_letter: whether the model answers by letter; the published score knows no other answers.

    Returns:
        The number of `options`, the answer (`text, choice`), whether it is right by the strict
        reading, by the likelihood of the options and by the published lenient match (`correct,
        correct_likelihood, correct_lenient`), the log-likelihoods of all options in nats
        (`option_logprobs`), that of the right one (`gold_logprob`) and its log-odds against the
        others (`gold_log_odds`), whether the model itself would have answered right after its
        latent steps (`at_once`), and the cost (`latent_steps, new_tokens, autoregressive_steps,
        seconds`).
    """
    known = example.choices and example.answer
    gold = example.choices.index(example.answer) if known else None
    return {
        "options": len(example.choices),
        "text": answer.text,
        "choice": answer.choice,
        "correct": gold is not None and answer.choice == gold,
        "correct_likelihood": gold is not None and answer.likeliest == gold,
        "correct_lenient": (
            lenient_match(answer.text, example.letter) if by_letter and gold is not None else None
        ),
        "option_logprobs": list(answer.option_logprobs),
        "gold_logprob": None if gold is None else answer.option_logprobs[gold],
        "gold_log_odds": None if gold is None else log_odds(answer.option_logprobs, gold),
        "at_once": answer.at_once,
        "latent_steps": answer.latent_steps,
        "new_tokens": answer.new_tokens,
        "autoregressive_steps": answer.autoregressive_steps,
        "seconds": answer.seconds,
    }


def _changed(
    reasoner: Reasoner, examples: Sequence[Example], change: Perturbation, arms: Sequence[Arm]
) -> tuple[Prefixes, list[bool]]:
    """Prefixes of changed inputs, and which examples allow the change; the others run unchanged."""
    started = time.perf_counter()
    new = [change.edit(example) for example in examples]
    inputs = [after or before for after, before in zip(new, examples, strict=True)]
    prompts = _prompts(reasoner, inputs, arms)
    return Prefixes(prompts, time.perf_counter() - started), [after is not None for after in new]


def _prompts(reasoner: Reasoner, examples: Sequence[Example], arms: Sequence[Arm]) -> Batch:
    """A batch whose given picks, where the model needs them, reach as far as any arm goes."""
    longest = max((arm.plan.steps for arm in arms if arm.plan is not None), default=0)
    plan = reasoner.plan.replace(steps=max(longest, reasoner.plan.steps))
    return reasoner.batch(examples, plan)

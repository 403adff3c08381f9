"""The one runner: examples x arms -> tidy rows, one row per example and arm.

The prompt's prefix is computed once per batch and every arm goes on from it, which is what makes a
table of thirty arms affordable.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import pandas as pd
import torch

from latentlab.answers import Answer
from latentlab.backbones import Batch
from latentlab.data.example import Example
from latentlab.measures.outcomes import log_odds, with_outcomes
from latentlab.measures.scores import lenient_match
from latentlab.reasoner import Reasoner
from latentlab.reasoning.donors import Donors
from latentlab.reasoning.interventions import PromptReplace, Replace
from latentlab.reasoning.sources import Resample
from latentlab.reasoning.trajectory import Trajectory
from latentlab.study.arms import Arm
from latentlab.study.asking import Asking
from latentlab.study.batches import Numbered, one_round, over_batches
from latentlab.study.identity import identity

Row = tuple[tuple[int, ...], dict[str, Any]]
"""A row, after the numbers that say where it belongs: of its arm, if any, and of its example."""

Measure = Callable[
    [Sequence[Example], Trajectory, Sequence[Answer]], Mapping[str, Sequence[object]]
]
"""Takes a batch's examples, the state after their latent steps and their answers; gives columns,
each with one value per example."""


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
    measure: Measure | None = None,
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
        measure: a measure of the user's own, whose columns the rows get as well.

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

    def of_batch(numbered: Numbered) -> list[Row]:
        rows: list[Row] = []
        asked = [example for _, example in numbered]
        sequences = 0 if measure else batch_size  # a measure is told the state of each arm alone
        ask = Asking(reasoner, asked, arms, seed, max_new_tokens, at_once, sequences)
        for number, arm in enumerate(arms):
            answers, allowed, state = ask(number)
            one_round(asked)
            facts = _facts(arm, ask.prompts, seed)
            if measure is not None:
                assert state is not None, "arms that share a batch have no state of their own"
                told = measure(asked, state, answers)
                facts = [
                    {**fact, **{name: values[i] for name, values in told.items()}}
                    for i, fact in enumerate(facts)
                ]
            for (index, example), answer, kept, more in zip(
                numbered, answers, allowed, facts, strict=True
            ):
                if not kept:
                    continue
                row = {
                    **identity(reasoner.name, data, example),
                    "cluster": [*example.clusters, *lent(more)],
                    **arm.facts,
                    "seed": seed + arm.draw,
                    **more,
                    **score(example, answer, reasoner.prompter.format.answer_form == "letter"),
                }
                rows.append(((number, index), row))
        return rows

    name, rounds = reasoner.name, len(arms)
    return framed(chain(*over_batches(examples, batch_size, of_batch, name, rounds, "answers")))


def framed(rows: Iterable[Row]) -> pd.DataFrame:
    """Rows in the order of their numbers, with what follows from all of them together."""
    frame = pd.DataFrame([row for _, row in sorted(rows, key=lambda item: item[0])])
    frame = frame.astype({"hops": "Int64", "choice": "Int64", "correct_lenient": "boolean"})
    return with_outcomes(_with_uses(frame) if "donor_example" in frame else frame)


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


def lent(facts: dict[str, Any]) -> list[str]:
    """The label that a row shares with those which were given the same donor."""
    donor = facts["donor_example"]
    return [] if donor is None else [f"donor {donor}"]


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

"""Mediation in words: what is written before the answer, taken from the other input.

A model that reasons in words, or writes by the method that it was trained for, carries what it saw
in its transcript. Every run answers after given words (`methods.replay`), those of its own input
too, so that all four runs of an example are alike and doing nothing is bit for bit nothing. Words
that never came to an answer marker are followed by it.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import torch

from latentlab.data.example import Example
from latentlab.data.perturb import Perturbation
from latentlab.mediation.config import MediationConfig
from latentlab.mediation.effects import OUTCOMES, outcomes
from latentlab.mediation.summary import DISTANCES, EFFECT
from latentlab.methods.call import Method
from latentlab.methods.replay import Transcript, all_of, replay, transcript_of
from latentlab.methods.run import run_method
from latentlab.reasoner import Reasoner
from latentlab.study.batches import Numbered, one_round, over_batches
from latentlab.study.identity import identity
from latentlab.study.instrument import Subject
from latentlab.study.written import write_down_all

LONGEST = 64
"""Tokens of an answer at most."""

REHEARSED = 8
"""Examples on which a model shows whether it writes anything."""

MEDIATOR = {"mediator": "transcript", "part": "rationale", "steps": "all"}
"""What rows call it."""


def can_mediate(config: MediationConfig, subject: Subject, method: Method) -> bool:
    """Whether a model writes something that could mediate; tells which flags are not for it."""
    reasoner, name = subject.reasoner, subject.reasoner.name
    for part in config.part:
        subject.lacks(f"--part {part}: {name} has none; it reasons in words")
    if config.steps != ("all",):
        subject.lacks(f"--steps {' '.join(config.steps)}: the words of {name} are taken as a whole")
    few = subject.examples[:REHEARSED]
    written = write_down_all(reasoner, method, few, REHEARSED, config.seed, LONGEST)
    if not written.rationales.written.examples:
        subject.lacks(
            f"{name} takes no latent steps and writes nothing before its answer, so there is "
            "nothing that could mediate"
        )
    return bool(written.rationales.written.examples)


@torch.no_grad()
def frames_of(
    config: MediationConfig, subject: Subject, method: Method, edits: Sequence[Perturbation]
) -> list[list[pd.DataFrame]]:
    """Rows of effects, batch by batch; columns `order` and `index` say where they belong."""
    reasoner = subject.reasoner

    def of_batch(numbered: Numbered) -> list[pd.DataFrame]:
        return list(_of_batch(config, reasoner, method, numbered, edits))

    size, name = config.batch_size, reasoner.name
    return over_batches(subject.examples, size, of_batch, name, len(edits), "comparisons")


def about(model: str, data: str, numbered: Numbered) -> pd.DataFrame:
    """Who was asked what, as columns."""
    return pd.DataFrame(
        [
            {"index": i, **identity(model, data, example), "cluster": list(example.clusters)}
            for i, example in numbered
        ]
    )


def _of_batch(
    config: MediationConfig,
    reasoner: Reasoner,
    method: Method,
    numbered: Numbered,
    edits: Sequence[Perturbation],
) -> Iterator[pd.DataFrame]:
    def writes(asked: Sequence[Example]) -> list[Transcript]:
        told = run_method(reasoner, method, asked, LONGEST, config.seed)
        pairs = [(one, transcript_of(reasoner.prompter, one)) for one in told]
        return [all_of(reasoner.prompter, one) if words is None else words for one, words in pairs]

    def scores(asked: Sequence[Example], words: Sequence[Transcript]) -> list[Sequence[float]]:
        told = replay(reasoner, method, asked, words, LONGEST, config.seed)
        return [one.answer.option_logprobs for one in told]

    examples = [example for _, example in numbered]
    own = writes(examples)
    says = scores(examples, own)
    answers = [int(np.argmax(row)) for row in says]
    named = about(reasoner.name, config.data, numbered)
    for order, edit in enumerate(edits):
        changed = [edit.edit(example) for example in examples]
        allowed = [new is not None for new in changed]
        if not any(allowed):
            one_round(numbered)
            continue
        inputs = [new or old for new, old in zip(changed, examples, strict=True)]
        other = writes(inputs)
        expected = [new.choices.index(new.answer) if new.answer else None for new in inputs]
        runs = {
            "y_clean": says,
            "y_perturbed": scores(inputs, other),
            "y_direct": scores(inputs, own),
            "y_indirect": scores(examples, other),
        }
        found = {name: outcomes(said, answers, expected) for name, said in runs.items()}
        head = named.assign(perturbation=edit.name, hop=edit.hop, order=order)[allowed]
        head = head.assign(measure=EFFECT, **MEDIATOR, **dict.fromkeys(DISTANCES, np.nan))
        for outcome in OUTCOMES:
            values = {name: of[outcome][allowed] for name, of in found.items()}
            yield head.assign(outcome=outcome, **values).dropna(subset=list(values))
        one_round(numbered)

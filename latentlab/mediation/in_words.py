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
from latentlab.mediation.lines import DISTANCES
from latentlab.mediation.perturbed import about, perturbed
from latentlab.mediation.summary import EFFECT
from latentlab.methods.call import Method
from latentlab.methods.replay import Transcript, all_of, replay, transcript_of
from latentlab.methods.run import run_method
from latentlab.reasoner import Reasoner
from latentlab.study.batches import Numbered, over_batches
from latentlab.study.instrument import Subject
from latentlab.study.written import WRITES_NOTHING, writes_anything

LONGEST = 64
"""Tokens of an answer at most."""

MEDIATOR = {"mediator": "transcript", "part": "rationale", "steps": "all"}
"""What rows call it."""


def can_mediate(config: MediationConfig, subject: Subject, method: Method) -> bool:
    """Whether a model writes something that could mediate; tells which flags are not for it."""
    name = subject.reasoner.name
    for part in config.part:
        subject.lacks(f"--part {part}: {name} has none; it reasons in words")
    if config.steps != ("all",):
        subject.lacks(f"--steps {' '.join(config.steps)}: the words of {name} are taken as a whole")
    lacking = f"{name} {WRITES_NOTHING}, so there is nothing that could mediate"
    return writes_anything(subject, method, config.seed, LONGEST, lacking)


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
    for made in perturbed(numbered, edits):
        other = writes(made.inputs)
        runs = {
            "y_clean": says,
            "y_perturbed": scores(made.inputs, other),
            "y_direct": scores(made.inputs, own),
            "y_indirect": scores(examples, other),
        }
        found = {name: outcomes(said, answers, made.expected) for name, said in runs.items()}
        head = made.head(named).assign(
            measure=EFFECT, **MEDIATOR, **dict.fromkeys(DISTANCES, np.nan)
        )
        for outcome in OUTCOMES:
            values = {name: of[outcome][made.allowed] for name, of in found.items()}
            yield head.assign(outcome=outcome, **values).dropna(subset=list(values))

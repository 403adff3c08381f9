"""Rows of models that take no latent steps: what they write, call by call, before they answer.

Such a model has no steps to look into, but says what it does. It is asked as `latentlab.evaluate`
asks it: by the method that it was trained to follow, by those of `--method`, or in its own way.
"""

import pandas as pd

from latentlab.evaluate.asking import fitting, rows_by
from latentlab.evaluate.config import EvaluateConfig
from latentlab.evaluate.predictions import ASKED
from latentlab.methods import Method
from latentlab.methods.check import misfit
from latentlab.methods.own import METHOD as OWN
from latentlab.reasoner import Reasoner
from latentlab.study.by_method import own_method
from latentlab.study.instrument import Subject
from latentlab.trace.config import TraceConfig
from latentlab.trace.records import ANSWER, option_probabilities, record_types


def writes(config: TraceConfig, reasoner: Reasoner) -> bool:
    """Whether a model's answers are recorded as what it writes, and not step by step."""
    return bool(config.method) or not reasoner.plan.steps or reasoner.plan.in_words


def prepare(config: TraceConfig, subject: Subject) -> tuple[Method, ...] | None:
    """The methods to ask a model by, its own way where there is none; None where none fits it.

    Raises:
        UserError: a method does not fit the only model (`evaluate.asking.fitting`).
    """
    flags = _flags(config)
    if (found := fitting(flags, subject)) != ():
        return found
    if problem := misfit(subject.reasoner, OWN, subject.examples, flags.max_new_tokens):
        subject.lacks(problem)
        return None
    return (OWN,)


def rows_of(config: TraceConfig, subject: Subject, methods: tuple[Method, ...]) -> pd.DataFrame:
    """Record one model's written answers.

    Args:
        config: `data`, `batch_size`, `seed` and `method` are read.
        subject: the model and what it is asked.
        methods: what `prepare` returned.

    Returns:
        One row per example and method as `study.by_method.run_by` returns them, with `record`
        "answer", `option_probs`, whether the model was trained to follow the method (`taught`), and
        the answer marker as its tokenizer writes it (`marker`).
    """
    reasoner, flags, own = subject.reasoner, _flags(config), own_method(subject.reasoner)
    frames = [
        rows_by(method, flags, subject).drop(columns=ASKED).assign(taught=method is own)
        for method in methods
    ]
    rows = pd.concat(frames, ignore_index=True)
    probabilities = [option_probabilities(values) for values in rows["option_logprobs"]]
    marker = reasoner.prompter.decode(reasoner.prompter.marker_ids)
    options = pd.Series(probabilities, rows.index)
    return record_types(rows.assign(record=ANSWER, marker=marker, option_probs=options))


def _flags(config: TraceConfig) -> EvaluateConfig:
    """How the model is asked, as flags of the evaluation."""
    return EvaluateConfig(
        model=config.model,
        data=config.data,
        limit=config.limit,
        batch_size=config.batch_size,
        seed=config.seed,
        method=config.method,
    )

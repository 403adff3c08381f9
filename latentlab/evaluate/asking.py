"""Asks models by methods: what fits together, and rows with the cost of all calls."""

from collections.abc import Sequence

import pandas as pd

from latentlab.evaluate.config import EvaluateConfig
from latentlab.evaluate.predictions import ASKED, asked_of
from latentlab.methods import Method
from latentlab.methods.check import misfit
from latentlab.study.by_method import asked_by, own_method, run_by
from latentlab.study.instrument import Subject


def fitting(config: EvaluateConfig, subject: Subject) -> tuple[Method, ...] | None:
    """The methods to ask a model by, none for its own way; None where none of them fits it.

    A model that was trained to follow a method has that for its own way.
    """
    own = own_method(subject.reasoner)
    if not config.method and own is None:
        return ()
    methods = asked_by(subject.reasoner, config.method) if config.method else [own] if own else []
    return those_that_fit(subject, methods, config.max_new_tokens) or None


def those_that_fit(subject: Subject, methods: Sequence[Method], longest: int) -> tuple[Method, ...]:
    """The methods that a model can be asked by; of the others it is told why not.

    Args:
        subject: the model and what it is asked.
        methods: how it is to be asked.
        longest: tokens of an answer at most.
    """
    reasoner, found = subject.reasoner, []
    for method in methods:
        if problem := misfit(reasoner, method, subject.examples, longest):
            subject.lacks(problem)
        else:
            found.append(method)
    prompted = [method.name for method in found if method.prompts]
    if prompted and reasoner.brings_plan and reasoner.plan.steps:
        subject.tell(
            f"{reasoner.name} was trained to take latent steps; it takes none by "
            f"{', '.join(prompted)}"
        )
    return tuple(found)


def rows_by(method: Method, config: EvaluateConfig, subject: Subject) -> pd.DataFrame:
    """Rows of one model asked by one method (`study.by_method`), with what it was `asked`."""
    reasoner = subject.reasoner
    return run_by(
        reasoner,
        method,
        subject.examples,
        config.data,
        config.batch_size,
        config.seed,
        config.max_new_tokens,
        lambda example: {ASKED: asked_of(reasoner, example)},
    )

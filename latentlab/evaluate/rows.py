"""Asks models questions as they are, with and without the picture."""

import dataclasses
from collections.abc import Sequence

import pandas as pd

from latentlab.console import note
from latentlab.data import Example
from latentlab.evaluate.asking import rows_by
from latentlab.evaluate.config import EvaluateConfig
from latentlab.evaluate.predictions import asked_by
from latentlab.methods import Method
from latentlab.reasoner import Reasoner
from latentlab.study.arms import Arm
from latentlab.study.instrument import Subject
from latentlab.study.run import run_arms
from latentlab.vocabulary import CONTROL

BLIND = "no image"
"""Name of the arm whose questions come without their picture."""


def blind(reasoner: Reasoner) -> Reasoner:
    """The same model for questions without a picture: it re-inserts no patches.

    Positions stay as they are (`LatentPlan.stride`). A model whose latent steps are nothing but
    patches takes none.
    """
    plan = reasoner.plan
    if plan.steps and plan.has_vision:
        stride = plan.stride or plan.k + int(plan.text)
        steps = plan.steps if plan.text else 0
        # Given picks would be looked up in a trace, attention has nothing to look at.
        plan = plan.replace(k=0, select="random", stride=stride, steps=steps)
        left = "latent text only (k=0)" if steps else "no latent steps"
        note(f"{reasoner.name} takes {left} on questions without a picture")
    return Reasoner(
        reasoner.backbone, plan, reasoner.prompter, reasoner.placeholder_id, reasoner.name
    )


def rows_of(
    config: EvaluateConfig, subject: Subject, methods: Sequence[Method] = ()
) -> pd.DataFrame:
    """Rows of one model, by methods, or in its own way with the picture and perhaps without."""
    reasoner, examples = subject.reasoner, subject.examples
    if methods:
        return pd.concat(
            [rows_by(method, config, subject) for method in methods], ignore_index=True
        )

    def ask(model: Reasoner, questions: Sequence[Example], arm: Arm) -> pd.DataFrame:
        size, seed, longest = config.batch_size, config.seed, config.max_new_tokens
        told = asked_by(model)
        return run_arms(model, questions, [arm], config.data, size, seed, longest, measure=told)

    rows = [ask(reasoner, examples, Arm())]
    if config.no_image:
        unseen = [dataclasses.replace(example, image=None) for example in examples]
        rows.append(ask(blind(reasoner), unseen, Arm("other", label=BLIND, kind=CONTROL)))
    return pd.concat(rows, ignore_index=True)

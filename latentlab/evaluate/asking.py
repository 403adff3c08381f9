"""Asks models by methods: what fits together, and rows with the cost of all calls."""

import json
from typing import Any

import pandas as pd
import torch

from latentlab.evaluate.config import EvaluateConfig
from latentlab.evaluate.predictions import ASKED, asked_of
from latentlab.measures.outcomes import with_outcomes
from latentlab.methods import Method, methods_of
from latentlab.methods.check import misfit
from latentlab.methods.run import run_method
from latentlab.study.arms import Arm
from latentlab.study.batches import Numbered, one_round, over_batches
from latentlab.study.identity import identity
from latentlab.study.instrument import Subject
from latentlab.study.run import score


def fitting(config: EvaluateConfig, subject: Subject) -> tuple[Method, ...] | None:
    """The methods to ask a model by, none for its own way; None where none of them fits it."""
    if not config.method:
        return ()
    reasoner, found = subject.reasoner, []
    for method in methods_of(config.method):
        if problem := misfit(reasoner, method, subject.examples, config.max_new_tokens):
            subject.lacks(problem)
        else:
            found.append(method)
    prompted = [method.name for method in found if method.prompts]
    if prompted and reasoner.brings_plan and reasoner.plan.steps:
        subject.tell(
            f"{reasoner.name} was trained to take latent steps; it takes none by "
            f"{', '.join(prompted)}"
        )
    return tuple(found) or None


@torch.no_grad()
def rows_by(method: Method, config: EvaluateConfig, subject: Subject) -> pd.DataFrame:
    """Rows of one model asked by one method, in the order of the examples.

    They are those of `study.run.run_arms` and besides say by which `method`, in how many `calls`,
    and with how many `forward_tokens` and `pictures`; how often the format failed and in what
    (`format_failures, failed`), and what each call said (`calls_said`, JSON).
    """
    reasoner, longest, seed = subject.reasoner, config.max_new_tokens, config.seed
    by_letter = reasoner.prompter.format.answer_form == "letter"

    def of_batch(numbered: Numbered) -> list[tuple[int, dict[str, Any]]]:
        examples = [example for _, example in numbered]
        found = run_method(reasoner, method, examples, longest, seed)
        one_round(examples)
        rows = []
        for (number, example), told in zip(numbered, found, strict=True):
            said = [{"call": name, "said": reply.text} for name, reply in told.said]
            row = {
                **identity(reasoner.name, config.data, example),
                "cluster": list(example.clusters),
                **Arm().facts,
                "seed": seed,
                ASKED: asked_of(reasoner, example),
                **score(example, told.answer, by_letter),
                "method": method.name,
                "calls": len(told.said),
                "forward_tokens": told.forward_tokens,
                "pictures": told.pictures,
                "format_failures": len(told.failures),
                "failed": ", ".join(told.failures),
                "calls_said": json.dumps(said, ensure_ascii=False),
            }
            rows.append((number, row))
        return rows

    name = f"{reasoner.name}, {method.name}"
    found = over_batches(subject.examples, config.batch_size, of_batch, name, 1, "answers")
    ordered = sorted((row for batch in found for row in batch), key=lambda numbered: numbered[0])
    frame = pd.DataFrame([row for _, row in ordered])
    frame = frame.astype({"hops": "Int64", "choice": "Int64", "correct_lenient": "boolean"})
    return with_outcomes(frame)

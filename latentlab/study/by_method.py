"""Rows of models that are asked by a method: those of `study.run`, with the cost of all calls.

A model that was trained to follow a method is asked by it; any other in its own way, which is an
arm without anything done.
"""

import json
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import pandas as pd
import torch

from latentlab.data.example import Example
from latentlab.methods import Method, methods_of
from latentlab.methods.run import Told, run_method
from latentlab.methods.taught import lesson_of
from latentlab.reasoner import Reasoner
from latentlab.study.arms import Arm
from latentlab.study.batches import Numbered, one_round, over_batches
from latentlab.study.identity import identity
from latentlab.study.run import Row, framed, run_arms, score

Columns = Callable[[Example], dict[str, Any]]
"""Further columns of an example's row."""


def own_method(reasoner: Reasoner) -> Method | None:
    """The method that a model was trained to follow; None where it was trained for none."""
    return lesson_of(reasoner.method).method if reasoner.method else None


def asked_by(reasoner: Reasoner, names: Sequence[str]) -> list[Method]:
    """The methods that go by some names; that which a model was trained for goes by its own.

    Raises:
        UserError: there is no such method, or one is named twice.
    """
    own = own_method(reasoner)
    return [own if own and own.name == one.name else one for one in methods_of(names)]


def run_own(
    reasoner: Reasoner,
    examples: Sequence[Example],
    data: str,
    batch_size: int = 64,
    seed: int = 0,
    longest: int = 64,
) -> pd.DataFrame:
    """Ask a model in the way that it was trained for; rows in the order of the examples."""
    if (method := own_method(reasoner)) is not None:
        return run_by(reasoner, method, examples, data, batch_size, seed, longest)
    return run_arms(reasoner, examples, [Arm()], data, batch_size, seed, longest)


@torch.no_grad()
def run_by(
    reasoner: Reasoner,
    method: Method,
    examples: Sequence[Example],
    data: str,
    batch_size: int = 64,
    seed: int = 0,
    longest: int = 64,
    columns: Columns = lambda example: {},
) -> pd.DataFrame:
    """Rows of one model asked by one method, in the order of the examples.

    They are those of `study.run.run_arms` and besides say by which `method`, in how many `calls`,
    and with how many `forward_tokens` and `pictures`; how often the format failed and in what
    (`format_failures, failed`), and what each call said (`calls_said`, JSON).
    """

    def of_batch(numbered: Numbered) -> list[Row]:
        asked = [example for _, example in numbered]
        found = run_method(reasoner, method, asked, longest, seed)
        one_round(asked)
        rows: list[Row] = []
        for (number, example), told in zip(numbered, found, strict=True):
            row = {
                **identity(reasoner.name, data, example),
                "cluster": list(example.clusters),
                **Arm().facts,
                "seed": seed,
                **columns(example),
                **facts_of(reasoner, method, example, told),
            }
            rows.append(((number,), row))
        return rows

    name = f"{reasoner.name}, {method.name}"
    found = over_batches(examples, batch_size, of_batch, name, 1, "answers")
    return framed(chain(*found))


def facts_of(reasoner: Reasoner, method: Method, example: Example, told: Told) -> dict[str, Any]:
    """What a row says of an answer by a method: its score and the cost of all calls."""
    by_letter = reasoner.prompter.format.answer_form == "letter"
    said = [{"call": name, "said": reply.text} for name, reply in told.said]
    return {
        **score(example, told.answer, by_letter),
        "method": method.name,
        "calls": len(told.said),
        "forward_tokens": told.forward_tokens,
        "pictures": told.pictures,
        "format_failures": len(told.failures),
        "failed": ", ".join(told.failures),
        "calls_said": json.dumps(said, ensure_ascii=False),
    }

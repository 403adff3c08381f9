"""Asks every model the same questions, each in its own way or by the methods of the flags."""

from collections.abc import Sequence

import pandas as pd

from latentlab.compare.config import CompareConfig
from latentlab.compare.ways import ways_of
from latentlab.evaluate.asking import those_that_fit
from latentlab.evaluate.timing import with_times
from latentlab.methods import Method
from latentlab.methods.own import METHOD as OWN
from latentlab.study.by_method import asked_by, own_method, run_by
from latentlab.study.instrument import Subject

WAY = "way"
"""Column of rows: how an answer came about (`compare.ways`)."""


def prepare(config: CompareConfig, subject: Subject) -> tuple[Method, ...] | None:
    """The methods to ask a model by; None where none of them fits it."""
    reasoner = subject.reasoner
    named = config.method
    methods = asked_by(reasoner, named) if named else [own_method(reasoner) or OWN]
    return those_that_fit(subject, methods, config.max_new_tokens) or None


def rows_of(config: CompareConfig, subject: Subject, methods: Sequence[Method]) -> pd.DataFrame:
    """Rows of one model by each method (`study.by_method`)."""
    size, seed, longest = config.batch_size, config.seed, config.max_new_tokens
    frames = [
        run_by(subject.reasoner, method, subject.examples, config.data, size, seed, longest)
        for method in methods
    ]
    return pd.concat(frames, ignore_index=True)


def together(
    config: CompareConfig, subjects: Sequence[Subject], rows: pd.DataFrame
) -> pd.DataFrame:
    """Rows with the time of all ways, measured in turns, and with the name of each."""
    return with_ways(with_times(config, subjects, rows))


def with_ways(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with the column `way`."""
    pairs = list(zip(rows["model"], rows["method"], strict=True))
    ways = ways_of(list(dict.fromkeys(pairs)))
    return rows.assign(**{WAY: [ways[pair] for pair in pairs]})

"""How long answers take, measured on all models and methods in turns.

A machine is never equally fast for minutes on end: others work on it, and it warms up. Timed one
after the other, models differ by what the machine was doing. So the same questions are asked again
and again, everyone has a turn with every batch, and a first round that pays for what is set up but
once is not counted. On a CPU it is processor time, of all threads, into which other programs do not
count; elsewhere it is time on the wall.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import pandas as pd
import torch

from latentlab.console import track
from latentlab.data import Example
from latentlab.evaluate.summary import TIMES
from latentlab.measures.outcomes import NONE
from latentlab.methods import Call, Method
from latentlab.methods.run import run_method
from latentlab.methods.speaker import Said, Speaker
from latentlab.reasoner import Reasoner
from latentlab.study.batches import batches
from latentlab.study.by_method import asked_by
from latentlab.study.instrument import Subject

REPEATS = 5
"""Rounds that count."""

QUESTIONS = 128
"""Questions that are timed at most, spread evenly over all; of few so many that timing takes no
longer than asking did."""

Turn = tuple[Reasoner, Method | None]
"""Who is timed: a model, and the method that it is asked by; None leaves it alone."""


class Flags(Protocol):
    """What of a command's flags timing goes by."""

    @property
    def batch_size(self) -> int:
        """Questions of a batch."""
        ...

    @property
    def seed(self) -> int:
        """Seed of random picks."""
        ...

    @property
    def max_new_tokens(self) -> int:
        """Tokens of an answer at most."""
        ...


def with_times(config: Flags, subjects: Sequence[Subject], rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with the column `times`, missing where the picture was not shown."""
    asked = subjects[0].examples
    n = max(1, min(QUESTIONS, len(asked) // (REPEATS + 1)))
    spread = np.linspace(0, len(asked) - 1, n).round().astype(int)
    parts = [
        [example for _, example in batch]
        for batch in batches([asked[i] for i in spread], config.batch_size)
    ]
    reasoners = {subject.reasoner.name: subject.reasoner for subject in subjects}
    methods = rows.get("method", pd.Series("", rows.index)).fillna("")
    keys = list(zip(rows["model"], methods, strict=True))
    distinct = list(dict.fromkeys(keys))
    taken = rounds([_turn(reasoners[name], by) for name, by in distinct], parts, config) / n
    times = {key: of.tolist() for key, of in zip(distinct, taken.T, strict=True)}
    shown = rows["intervention"] == NONE
    told = [times[key] if seen else None for key, seen in zip(keys, shown, strict=True)]
    return rows.assign(**{TIMES: pd.Series(told, rows.index, dtype=object)})


def rounds(
    turns: Sequence[Turn], parts: Sequence[Sequence[Example]], config: Flags
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Seconds that each model takes by each method for all batches, (round, turn).

    Who begins changes from batch to batch, so that nobody always follows the same other one.
    """
    seconds = np.zeros((REPEATS + 1, len(turns)))
    order = list(range(len(turns)))
    for number in track(range(REPEATS + 1), "timing"):
        for asked in parts:
            for i in order:
                seconds[number, i] += _seconds(*turns[i], asked, config)
            order = [*order[1:], order[0]]
    return seconds[1:]


class Unscored(Speaker):
    """A model whose replies alone are timed: likelihoods of options are no part of an answer."""

    def say(
        self, calls: Sequence[Call], names: Sequence[str], options: Sequence[Sequence[str]]
    ) -> list[Said]:
        """Answer some calls and score nothing."""
        return super().say(calls, names, [()] * len(calls))


def _turn(reasoner: Reasoner, by: str) -> Turn:
    """A model, and the method that its rows name."""
    return reasoner, asked_by(reasoner, [by])[0] if by else None


@torch.no_grad()
def _seconds(
    reasoner: Reasoner, method: Method | None, asked: Sequence[Example], config: Flags
) -> float:
    """From text and picture to the last token of all answers of a batch."""
    clock = time.process_time if reasoner.backbone.device.type == "cpu" else time.perf_counter
    started = clock()
    if method is not None:
        speaker = Unscored(reasoner, config.seed)
        run_method(reasoner, method, asked, config.max_new_tokens, config.seed, speaker)
        return clock() - started
    rollout = reasoner.rollout(seed=config.seed)
    state = rollout.reason(rollout.prefill(reasoner.batch(asked)))
    plain = [replace(example, choices=(), answer="") for example in asked]
    reasoner.decode(rollout, state, plain, config.max_new_tokens)
    return clock() - started

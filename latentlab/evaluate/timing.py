"""How long answers take, measured on all models in turns.

A machine is never equally fast for minutes on end: others work on it, and it warms up. Timed one
after the other, models differ by what the machine was doing. So the same questions are asked again
and again, every model has its turn with every batch, and a first round that pays for what is set up
but once is not counted. On a CPU it is processor time, of all threads, into which other programs
do not count; elsewhere it is time on the wall.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from latentlab.console import track
from latentlab.data import Example
from latentlab.evaluate.config import EvaluateConfig
from latentlab.evaluate.summary import TIMES
from latentlab.measures.outcomes import NONE
from latentlab.reasoner import Reasoner
from latentlab.study.batches import batches
from latentlab.study.instrument import Subject

REPEATS = 5
"""Rounds that count."""

QUESTIONS = 128
"""Questions that are timed at most, spread evenly over all; of few so many that timing takes no
longer than asking did."""


def with_times(
    config: EvaluateConfig, subjects: Sequence[Subject], rows: pd.DataFrame
) -> pd.DataFrame:
    """Rows with the column `times`, missing where the picture was not shown.

    Methods are not timed so: their rows keep the time that their calls took.
    """
    if config.method:
        return rows
    asked = subjects[0].examples
    n = max(1, min(QUESTIONS, len(asked) // (REPEATS + 1)))
    spread = np.linspace(0, len(asked) - 1, n).round().astype(int)
    parts = [
        [example for _, example in batch]
        for batch in batches([asked[i] for i in spread], config.batch_size)
    ]
    reasoners = [subject.reasoner for subject in subjects]
    taken = rounds(reasoners, parts, config) / n
    times = {one.name: of.tolist() for one, of in zip(reasoners, taken.T, strict=True)}
    shown = rows["intervention"] == NONE
    told = [times[name] if own else None for name, own in zip(rows["model"], shown, strict=True)]
    return rows.assign(**{TIMES: pd.Series(told, rows.index, dtype=object)})


def rounds(
    reasoners: Sequence[Reasoner], parts: Sequence[Sequence[Example]], config: EvaluateConfig
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Seconds that each model takes for all batches, (round, model).

    Who begins changes from batch to batch, so that nobody always follows the same other one.
    """
    seconds = np.zeros((REPEATS + 1, len(reasoners)))
    order = list(range(len(reasoners)))
    for number in track(range(REPEATS + 1), "timing"):
        for asked in parts:
            for i in order:
                seconds[number, i] += _seconds(reasoners[i], asked, config)
            order = [*order[1:], order[0]]
    return seconds[1:]


@torch.no_grad()
def _seconds(reasoner: Reasoner, asked: Sequence[Example], config: EvaluateConfig) -> float:
    """From text and picture to the last token of all answers of a batch."""
    clock = time.process_time if reasoner.backbone.device.type == "cpu" else time.perf_counter
    started = clock()
    rollout = reasoner.rollout(seed=config.seed)
    state = rollout.reason(rollout.prefill(reasoner.batch(asked)))
    # The likelihoods of options are no part of an answer: without options there are none.
    plain = [replace(example, choices=(), answer="") for example in asked]
    reasoner.decode(rollout, state, plain, config.max_new_tokens)
    return clock() - started

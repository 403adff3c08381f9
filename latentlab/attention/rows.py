"""Reads one model in its mode and in those of its controls: its steps, then its answer."""

from collections.abc import Sequence

import pandas as pd

from latentlab.attention.config import AttentionConfig
from latentlab.attention.modes import ModeRun
from latentlab.attention.readout import has_readout, readout_rows
from latentlab.attention.steps import step_rows
from latentlab.study.instrument import Subject


def rows_of(config: AttentionConfig, subject: Subject, runs: Sequence[ModeRun]) -> pd.DataFrame:
    """Measure one model's attention at every step of every run, and what its answer attends to."""
    parts = [pd.DataFrame()]
    for reasoner, vision in runs:
        parts.append(step_rows(config, reasoner, subject.examples, vision))
        if has_readout(reasoner):
            parts.append(readout_rows(config, reasoner, subject.examples, vision))
    return pd.concat(parts)

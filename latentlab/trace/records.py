"""What rows of recorded answers are: their kinds, and the types of their columns."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

STEP, ANSWER = "step", "answer"
"""Kinds of rows, in the column `record`."""

SAID = "calls_said"
"""Column that answers of models have which write: what each call said, as JSON."""

_WHOLE = ("step", "choice", "probe_n", "calls", "pictures", "forward_tokens", "format_failures")
_TRUTH = ("probe_correct", "correct", "flip", "taught")


def record_types(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with columns of whole numbers and of truth values that may be missing."""
    typed = dict.fromkeys(_WHOLE, "Int64") | dict.fromkeys(_TRUTH, "boolean")
    return rows.astype({name: kind for name, kind in typed.items() if name in rows})


def is_written(rows: pd.DataFrame) -> "pd.Series[bool]":
    """Which rows are answers of models that write, and take no latent steps."""
    if SAID not in rows:
        return pd.Series(False, rows.index)
    return rows[SAID].notna()


def option_probabilities(option_logprobs: Sequence[float] | np.ndarray) -> list[float]:
    """The probability of each option among all options, of their log-likelihoods in nats."""
    values = np.asarray(option_logprobs, float)
    if not len(values):
        return []
    weights = np.exp(values - values.max())
    return [float(p) for p in weights / weights.sum()]

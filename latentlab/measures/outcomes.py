"""What an intervention does to one answer, beyond making it right or wrong.

Accuracy only moves where an answer crosses to another option. The measures here see every answer
move: whether it flips, how far the log-odds of the right option shift, and how different the
distribution over the options becomes. All compare an example with itself, left alone.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import log_softmax

PICKED = {True: "picked", False: "not picked"}
"""Values of the column `needed_cell` of a summary, beside `all`."""

HELD_BACK = 0.5
"""Share of answers held back beyond which the reader is warned."""

NONE = "none"
"""Name of the intervention that changes nothing; every effect is taken against it."""

SHAM = "sham"
"""Action of arms that put back what was there, to test the instrument."""

OUTCOMES = ("flip", "log_odds_change", "kl")
"""Columns that `with_outcomes` adds."""


def log_odds(option_logprobs: Sequence[float], option: int) -> float:
    """Log-odds of one option against all others, log p / (1 - p), in nats.

    Args:
        option_logprobs: (option,) log-likelihoods in nats; p is their softmax.
        option: index of the option.
    """
    rest = [value for i, value in enumerate(option_logprobs) if i != option]
    return float(option_logprobs[option] - np.logaddexp.reduce(rest))


def kl_divergence(
    before: npt.ArrayLike, after: npt.ArrayLike
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """KL(p || q) in nats between the answer distributions before and after an intervention.

    Args:
        before: (..., option) log-likelihoods of the untouched run; p is their softmax.
        after: (..., option) those under the intervention; q is their softmax.

    Returns:
        (...) one number for each pair of distributions.
    """
    p, q = (log_softmax(np.asarray(one, float), axis=-1) for one in (before, after))
    # At equality rounding may pass zero.
    found: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    found = np.maximum((np.exp(p) * (p - q)).sum(-1), 0.0)
    return found


def with_outcomes(rows: pd.DataFrame) -> pd.DataFrame:
    """Add to each row how its answer differs from the untouched one of the same example.

    Args:
        rows: rows with `model, data, example, intervention, text, choice, option_logprobs,
            gold_log_odds`.

    Returns:
        The rows with `flip` (the answer names another option, or an option where it named none, or
        none where it named one; between two that name none, whether the text differs),
        `log_odds_change` (of the right option, in nats) and `kl` (`kl_divergence`). All are missing
        where no row was left alone, the last two also where there are no options.
    """
    key = ["model", "data", "example"]
    columns = ["text", "choice", "option_logprobs", "gold_log_odds"]
    alone = rows.loc[rows["intervention"] == NONE, [*key, *columns]].drop_duplicates(key)
    both = rows[key].merge(alone, on=key, how="left")
    choice, before = rows["choice"].to_numpy(object), both["choice"].to_numpy(object)
    unnamed = pd.isna(choice).astype(int) + pd.isna(before).astype(int)
    flips: list[bool | None] = []
    pairs: dict[int, list[int]] = {}
    options, alone_options = list(rows["option_logprobs"]), list(both["option_logprobs"])
    for i, (after, reference) in enumerate(zip(options, alone_options, strict=True)):
        if not isinstance(reference, (list, np.ndarray)):
            flips.append(None)
            continue
        if unnamed[i] == 2:
            flips.append(rows["text"].iloc[i] != both["text"].iloc[i])
        else:
            flips.append(bool(unnamed[i] == 1 or choice[i] != before[i]))
        pairs.setdefault(len(after), []).append(i)
    changes = np.full(len(rows), np.nan)
    for length, which in pairs.items():
        if length:  # questions of as many options at once
            ends = [np.array([of[i] for i in which], float) for of in (alone_options, options)]
            changes[which] = kl_divergence(*ends)
    odds = rows["gold_log_odds"].to_numpy(float) - both["gold_log_odds"].to_numpy(float)
    return rows.assign(flip=pd.array(flips, dtype="boolean"), log_odds_change=odds, kl=changes)

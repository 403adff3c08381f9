"""Direct and indirect effects of an input on an answer, and what its latents carry of them.

Four runs of one example give everything (Pearl 2001, "Direct and indirect effects"; for language
models Vig et al., arXiv 2004.12265, section 3). With Y(input, latents), x and x' the inputs and
M(x) what the latents are on x:

    TE  = Y(x', M(x')) - Y(x, M(x))     total effect
    NDE = Y(x', M(x))  - Y(x, M(x))     natural direct effect: the input changes, the latents stay
    NIE = Y(x, M(x'))  - Y(x, M(x))     pure indirect effect: the latents change, the input stays
    TIE = Y(x', M(x')) - Y(x', M(x))    total indirect effect, TE - NDE: what keeping them averts
    TDE = Y(x', M(x')) - Y(x, M(x'))    total direct effect, TE - NIE
    interaction = TIE - NIE = TE - NDE - NIE

NIE and TIE are the two ends of one question, and either alone misleads (Robins and Greenland 1992,
"Identifiability and exchangeability"): where input and latents hold the same evidence and either
is enough, NIE is zero and TIE the whole effect; where it takes both, it is the other way round.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import softmax

from latentlab.measures.clusters import Clusters
from latentlab.measures.outcomes import log_odds
from latentlab.measures.statistics import Interval, ratio_interval

EFFECTS = ("te", "nde", "nie", "tie", "tde", "interaction")
"""Columns that `with_effects` adds."""

SHARED = ("nie", "tie", "interaction")
"""Effects that are also given as a share of the total one, in columns `nie_share` and so on."""

EffectReading = Literal[
    "bypassed", "redundant", "necessary, not sufficient", "necessary and sufficient", ""
]
"""What the two shares of a deletion say together (`reading`)."""

SMALL, LARGE = 0.2, 0.5
"""A share is small where its interval lies within this much of 0, large where it is all above half
of the effect."""

OUTCOMES = ("log_odds", "probability", "flip", "follows")
"""What Y can be, see `outcomes`."""

ANSWERS = ("flip", "follows")
"""Those that are 0 or 1."""


def outcomes(
    logprobs: Sequence[Sequence[float]],
    chosen: Sequence[int],
    expected: Sequence[int | None],
) -> dict[str, npt.NDArray[np.float64]]:
    """What a run says about each example, as every outcome in turn.

    Args:
        logprobs: for each example the log-likelihoods of its options in nats.
        chosen: the option that was likeliest in the clean run.
        expected: the option that is right for the perturbed example; None where that is unknown.

    Returns:
        (example,) each: `log_odds` of the chosen option against the others, in nats; its
        `probability` among the options; `flip`, 1 where another option is likeliest; `follows`, 1
        where the likeliest option is the expected one, missing where that is unknown.
    """
    likeliest = [int(np.argmax(row)) for row in logprobs]
    each = list(zip(logprobs, chosen, strict=True))
    follows = [
        np.nan if right is None else float(right == option)
        for right, option in zip(expected, likeliest, strict=True)
    ]
    return {
        "log_odds": np.array([log_odds(row, option) for row, option in each]),
        "probability": np.array([softmax(np.asarray(row))[option] for row, option in each]),
        "flip": np.array([float(a != b) for a, b in zip(likeliest, chosen, strict=True)]),
        "follows": np.array(follows),
    }


def with_effects(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the effects to rows of four runs.

    Args:
        rows: with `y_clean` = Y(x, M(x)), `y_perturbed` = Y(x', M(x')), `y_direct` = Y(x', M(x))
            and `y_indirect` = Y(x, M(x')).

    Returns:
        The rows with `te, nde, nie, tie, tde, interaction`.
    """
    clean, perturbed = rows["y_clean"], rows["y_perturbed"]
    direct, indirect = rows["y_direct"], rows["y_indirect"]
    return rows.assign(
        te=perturbed - clean,
        nde=direct - clean,
        nie=indirect - clean,
        tie=perturbed - direct,
        tde=perturbed - indirect,
        interaction=(perturbed - direct) - (indirect - clean),
    )


def mediated_share(
    indirect: npt.ArrayLike,
    total: npt.ArrayLike,
    seed: int = 0,
    clusters: Clusters | None = None,
) -> tuple[Interval | None, str]:
    """The share of an effect that goes with a mediator: mean NIE, or mean TIE, over mean TE.

    A ratio of means, since a mean of ratios is ruled by the examples that hardly moved.

    Args:
        indirect: (example,) indirect effects, pure or total ones.
        total: (example,) total effects.
        seed: seed of the bootstrap.
        clusters: what examples share, see `measures.clusters`; None where nothing.

    Returns:
        The share with its interval, or None and why there is none.
    """
    if not np.any(total):
        return None, "the perturbation has no effect"
    share = ratio_interval(indirect, total, seed=seed, clusters=clusters)
    return share, "" if share else "the interval of the total effect includes 0"


def reading(nie: Interval | None, tie: Interval | None) -> EffectReading:
    """What a mediator is to an answer, told by its two shares of the effect of a deletion.

    A deletion takes evidence away. The pure indirect effect is then what the answer loses when the
    latents alone lose it: they are *necessary*. The total one is what is not lost when they alone
    keep it: they are *sufficient*. (Of the loss, not of the answer, it is the other way round: the
    one is the fraction that the latents suffice to bring about, the other the one that they are
    necessary for; Pearl 2014, "Interpretation and identification of causal mediation".)

    Nothing of the kind follows from a substitution, where the mixed runs hold two answers: which
    of them wins, not whether one route is enough, decides both shares.

    Args:
        nie: share of the pure indirect effect.
        tie: share of the total indirect effect.

    Returns:
        The word for it, for most of the effect; empty where a share is neither small nor large, or
        is not there.
    """
    words: dict[tuple[str, str], EffectReading] = {
        ("small", "small"): "bypassed",
        ("small", "large"): "redundant",
        ("large", "small"): "necessary, not sufficient",
        ("large", "large"): "necessary and sufficient",
    }
    return words.get((_size(nie), _size(tie)), "")


def _size(share: Interval | None) -> str:
    """Whether a share is small, large, or neither as far as one can tell."""
    if share is None:
        return ""
    if share.low > LARGE:
        return "large"
    return "small" if share.low > -SMALL and share.high < SMALL else ""

"""Direct and indirect effects of an input on an answer, and the share that its latents carry.

Four runs of one example give everything (Pearl 2001, "Direct and indirect effects"; for language
models Vig et al., arXiv 2004.12265, section 3). With Y(input, latents), x and x' the inputs and
M(x) what the latents are on x:

    TE  = Y(x', M(x')) - Y(x, M(x))     total effect
    NDE = Y(x', M(x))  - Y(x, M(x))     natural direct effect: the input changes, the latents stay
    NIE = Y(x, M(x'))  - Y(x, M(x))     natural indirect effect: the latents change, the input stays
    TIE = Y(x', M(x')) - Y(x', M(x))    total indirect effect, TE = NDE + TIE
    TDE = Y(x', M(x')) - Y(x, M(x'))    total direct effect, TE = NIE + TDE
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import softmax

from latentlab.measures.outcomes import log_odds
from latentlab.measures.statistics import Interval, bootstrap_interval, ratio_interval
from latentlab.measures.summary import ALL

EFFECT, MOVEMENT = "effect", "movement"
"""Values of the column `measure`: input -> answer through latents or past them, input -> latent."""

EFFECTS = ("te", "nde", "nie", "tie", "tde")
"""Columns that `with_effects` adds."""

DISTANCES = ("cosine", "centred", "sd", "kept", "jaccard")
"""Columns of how far latents moved (`measures.distance`)."""

OUTCOMES = ("log_odds", "probability", "flip", "follows")
"""What Y can be, see `outcomes`."""

_GROUP = ["model", "data", "measure", "perturbation", "mediator", "part", "steps", "outcome"]
_ENDS = {"": "mean", "_low": "low", "_high": "high"}


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
    """Add the five effects to rows of four runs.

    Args:
        rows: with `y_clean` = Y(x, M(x)), `y_perturbed` = Y(x', M(x')), `y_direct` = Y(x', M(x))
            and `y_indirect` = Y(x, M(x')).

    Returns:
        The rows with `te, nde, nie, tie, tde`.
    """
    clean, perturbed = rows["y_clean"], rows["y_perturbed"]
    direct, indirect = rows["y_direct"], rows["y_indirect"]
    return rows.assign(
        te=perturbed - clean,
        nde=direct - clean,
        nie=indirect - clean,
        tie=perturbed - direct,
        tde=perturbed - indirect,
    )


def summary_of(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """One line for each model, perturbation, mediator, part, steps, outcome and domain.

    Args:
        rows: rows of `mediating.rows_of`.
        seed: seed of the bootstrap.

    Returns:
        Lines over all domains (`all`) and each of them, with `n` and, each with `_low` and `_high`:

        - where `measure` is `effect`: means of the five effects; `share`, the mean NIE over the
          mean TE, with a paired bootstrap interval; and `share_note`, why a share is missing;
        - where it is `movement`: means of the distances.
    """
    return pd.DataFrame(_lines(rows, seed))


def mediated_share(
    indirect: npt.ArrayLike, total: npt.ArrayLike, seed: int = 0
) -> tuple[Interval | None, str]:
    """The share of an effect that a mediator carries: mean NIE / mean TE.

    A ratio of means, since a mean of ratios is ruled by the examples that hardly moved.

    Args:
        indirect: (example,) natural indirect effects.
        total: (example,) total effects.
        seed: seed of the bootstrap.

    Returns:
        The share with its interval, or None and why there is none.
    """
    if not np.any(total):
        return None, "the perturbation has no effect"
    share = ratio_interval(indirect, total, seed=seed)
    return share, "" if share else "the interval of the total effect includes 0"


def _lines(rows: pd.DataFrame, seed: int) -> Iterator[dict[str, object]]:
    for values, group in rows.groupby(_GROUP, sort=False):
        head: dict[str, object] = dict(zip(_GROUP, values, strict=True))
        measure = _effect_line if head["measure"] == EFFECT else _movement_line
        yield {**head, "domain": ALL, "n": len(group), **measure(group, seed)}
        domains = [name for name in group["domain"].unique() if name]
        for domain in sorted(domains):
            part = group[group["domain"] == domain]
            yield {**head, "domain": domain, "n": len(part), **measure(part, seed)}


def _effect_line(group: pd.DataFrame, seed: int) -> dict[str, object]:
    line: dict[str, object] = {}
    for name in EFFECTS:
        line |= _ends(name, bootstrap_interval(group[name].to_numpy(float), seed=seed))
    share, note = mediated_share(group["nie"].to_numpy(float), group["te"].to_numpy(float), seed)
    return {**line, **_ends("share", share), "share_note": note}


def _movement_line(group: pd.DataFrame, seed: int) -> dict[str, object]:
    line: dict[str, object] = {}
    for name in DISTANCES:
        values = group[name].to_numpy(float)
        known = None if np.isnan(values).any() else bootstrap_interval(values, seed=seed)
        line |= _ends(name, known)
    return line


def _ends(name: str, interval: Interval | None) -> dict[str, float]:
    """An estimate and its interval as columns."""
    return {
        f"{name}{end}": float("nan") if interval is None else getattr(interval, field)
        for end, field in _ENDS.items()
    }

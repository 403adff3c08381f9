"""What papers claim about ways to answer, and what the rows say to it, claim by claim.

Claims of IVT-LR (arXiv 2510.12603, version 2), about models of 7 billion parameters on M3CoT and
ScienceQA: abstract, "a speed increase of over 5 times compared to existing approaches"; section
4.2, "at least a 9x reduction in the number of autoregressive steps" compared to most baselines, and
the highest accuracy of all; Table 2, less without latent vision. Its baselines are those of
`PUBLISHED`. It has no row of plain CoT, which is asked of here as well, as explicit reasoning
without anything else. The counter-claim is CapImagine's (arXiv 2602.22766): trained on the very
same instances, imagination in words does no worse than latents.

A verdict rests on the interval alone, and holds for the models and questions of the rows. That it
does not hold for these does not refute what was published of others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from scipy import stats

from latentlab.compare.pairs import of_group
from latentlab.compare.rows import WAY
from latentlab.compare.summary import hops_of
from latentlab.evaluate.summary import TIMES
from latentlab.measures.changes import accuracy_difference
from latentlab.measures.clusters import clusters_of
from latentlab.measures.statistics import LEVEL, Interval, ratio_interval
from latentlab.measures.summary import ALL

IVTLR = "ivtlr"

PUBLISHED = ("multimodal_cot", "ccot", "icot", "scaffold", "chain_of_focus")
"""Ways that reason and that IVT-LR compares itself with."""

ClaimVerdict = Literal["holds", "does not", "cannot be told"]
"""What an interval says of a claim."""

HOLDS, NOT, UNTOLD = get_args(ClaimVerdict)

Measured = Literal["seconds", "steps", "accuracy"]


@dataclass(frozen=True)
class Claim:
    """One thing that a paper says of one way against others."""

    name: str
    """What is claimed, in a few words."""

    source: str
    """Where."""

    measured: Measured
    """What is compared: ratios of seconds and of autoregressive steps, differences in accuracy."""

    against: tuple[str, ...]
    """The ways that it is claimed against, a line each."""

    threshold: float
    """What the estimate has to pass."""

    way: str = IVTLR
    """The way it is claimed of."""

    reach: bool = False
    """Whether to reach the threshold is enough."""


CLAIMS = (
    Claim("over 5 times faster", "IVT-LR, abstract", "seconds", ("cot", *PUBLISHED), 5.0),
    Claim(
        "at least 9 times fewer steps", "IVT-LR, section 4.2", "steps", ("cot", *PUBLISHED), 9.0,
        reach=True,
    ),
    Claim(
        "more accurate than explicit ways", "IVT-LR, section 4.2", "accuracy",
        ("cot", *PUBLISHED), 0.0,
    ),
    Claim("more accurate than no reasoning", "IVT-LR, Table 1", "accuracy", ("no_cot",), 0.0),
    Claim("latent vision adds to latent text", "IVT-LR, Table 2", "accuracy", ("coconut",), 0.0),
    Claim(
        "imagination in words at least as good", "CapImagine, arXiv 2602.22766", "accuracy",
        (IVTLR,), 0.0, way="capimagine", reach=True,
    ),
)  # fmt: skip
"""Every claim that is tested."""


def verdict(interval: Interval | None, threshold: float, reach: bool = False) -> ClaimVerdict:
    """What an interval says of a claim that something is above a threshold.

    Args:
        interval: the estimate; None where there is none.
        threshold: where the claim begins.
        reach: whether the threshold itself is on the claimed side.

    Returns:
        `holds` where the whole interval is on the claimed side, `does not` where all of it is on
        the other, else `cannot be told`.
    """
    if interval is None:
        return "cannot be told"
    if interval.low > threshold or (reach and interval.low == threshold):
        return "holds"
    if interval.high < threshold or (not reach and interval.high == threshold):
        return "does not"
    return "cannot be told"


def claims_of(rows: pd.DataFrame, seed: int = 0, claims: Sequence[Claim] = CLAIMS) -> pd.DataFrame:
    """One line per claim, way that it is claimed against, and number of hops.

    Args:
        rows: with the columns `way, example, hops, cluster, correct, autoregressive_steps, times`.
        seed: seed of the bootstrap.
        claims: what is tested.

    Returns:
        `claim, source, measured, way, against, hops, threshold, estimate` with its ends, `n` and
        the `verdict`. Accuracies are strict and in fractions, paired by question; ratios of steps
        are those of means over the same questions, with a bootstrap interval; ratios of seconds
        are geometric means over rounds of timing, of which `n` counts, with the interval of
        Student's t on their logarithms, over all questions, since a batch mixes them. Claims about
        ways that are not among the rows have no line.
    """
    there = set(rows[WAY])
    found = [
        line
        for claim in claims
        for against in claim.against
        if {claim.way, against} <= there
        for line in _lines(rows, claim, against, seed)
    ]
    columns = ["claim", "source", "measured", "way", "against", "hops", "threshold", "estimate"]
    columns += ["estimate_low", "estimate_high", "n", "verdict"]
    return pd.DataFrame(found, columns=columns)


def of_hardest(lines: pd.DataFrame) -> pd.DataFrame:
    """Of each claim the line about the questions with most hops, or all where it has no other."""
    most = hops_of(lines)[0]
    return lines[(lines["hops"] == most) | (lines["measured"] == "seconds")]


def _lines(
    rows: pd.DataFrame, claim: Claim, against: str, seed: int
) -> Iterator[dict[str, object]]:
    groups = [ALL] if claim.measured == "seconds" else dict.fromkeys([*hops_of(rows), ALL])
    for hops in groups:
        interval = _measure(of_group(rows, hops), claim, against, seed)
        ends = {} if interval is None else interval.columns("estimate")
        yield {
            "claim": claim.name,
            "source": claim.source,
            "measured": claim.measured,
            "way": claim.way,
            "against": against,
            "hops": hops,
            "threshold": claim.threshold,
            **ends,
            "n": 0 if interval is None else interval.n,
            "verdict": verdict(interval, claim.threshold, claim.reach),
        }


def _measure(rows: pd.DataFrame, claim: Claim, against: str, seed: int) -> Interval | None:
    """The estimate that a claim is about."""
    one, other = (
        rows[rows[WAY] == way].sort_values("example", ignore_index=True)
        for way in (claim.way, against)
    )
    if claim.measured == "seconds":
        return ratio_of_times(one[TIMES].iloc[0], other[TIMES].iloc[0]) if TIMES in rows else None
    if claim.measured == "accuracy":
        return accuracy_difference(one["correct"], other["correct"], clusters_of(one))
    above, below = (of["autoregressive_steps"].to_numpy(float) for of in (other, one))
    return ratio_interval(above, below, seed=seed, clusters=clusters_of(one))


def ratio_of_times(one: Sequence[float] | None, other: Sequence[float] | None) -> Interval | None:
    """How many times as long the other takes, over rounds in which both had their turns.

    Args:
        one: seconds in each round.
        other: seconds of the other in the same rounds.

    Returns:
        The geometric mean of the ratios; None where fewer than two rounds were timed.
    """
    if one is None or other is None or len(one) < 2:
        return None
    logs = np.log(np.asarray(other, float) / np.asarray(one, float))
    reach = stats.t.ppf((1 + LEVEL) / 2, len(logs) - 1) * logs.std(ddof=1) / len(logs) ** 0.5
    mean = float(logs.mean())
    low, centre, high = np.exp([mean - reach, mean, mean + reach])
    return Interval(float(centre), float(low), float(high), len(logs))

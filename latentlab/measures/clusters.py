"""How much less a sample tells because its examples are no independent draws.

Questions that show the same scan, or that were given the same donor, are right or wrong together;
had other scans or donors been drawn, all of them would have changed at once. An interval that
counts each question as a draw of its own is then too narrow.

Two examples belong together where they share any label: one of a cluster, several where a picture
holds several scans, labels of two kinds where both scans and donors were drawn. The variance of a
mean over n examples is then estimated as

    V = sum over pairs (i, j) that share a label, and i = j, of (x_i - mean) (x_j - mean) / n^2

(Fafchamps and Gubert, 2007; Aronow, Samii and Assenova, 2015). With one label each these are the
usual cluster-robust standard errors, with two columns of labels those of Cameron, Gelbach and
Miller (2011). The bootstrap with a product of weights, one for each label (Owen and Eckles, 2012),
would serve as well where clusters are large; but with r labels an example it overstates what is due
to single examples 2^r - 1 times, and a walk of four hops reads eight scans.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from latentlab.measures.samples import Floats

Labels = str | Iterable[str] | None
"""What an example shares with others: one label, several, or none."""

Clusters = Sequence[Labels]
"""The labels of each example, in the order of the values."""


def design_effect(values: Floats, clusters: Clusters | None) -> float:
    """The variance of a mean over clustered examples, by that of as many independent ones.

    Kish's (1965) deff: n examples tell as much as n / deff independent ones. What pairs share is
    taken about the mean of all examples that have labels, so that digits being harder than letters
    does not count as something that all questions about scans have in common. All sums are scaled
    so that for independent values their expectation is exact, as n - 1 does without clusters; for
    clusters of one size it is G / (G - 1) for G of them. Less than 1 is taken for 1, since it would
    be due to chance; a single cluster is one draw, whatever its size. Where nothing varies,
    clusters have left no mark and the effect is 1.

    Args:
        values: (example,) of numbers.
        clusters: labels of each example; None where all are independent.

    Raises:
        ValueError: Labels are not as many as values.
    """
    if clusters is None:
        return 1.0
    n = len(values)
    if len(clusters) != n:
        raise ValueError(f"{n} values and labels of {len(clusters)}: one per example is needed")
    named = [labels_of(labels) for labels in clusters]
    has = np.array([len(labels) > 0 for labels in named])
    everything = _alone(values)
    if has.sum() < 2 or everything == 0:
        return 1.0
    shared = _together(tuple(labels for labels in named if labels))
    part = values[has] - values[has].mean()
    alone, share = _alone(values[has]), shared.sum() / len(part) ** 2
    together = part @ (shared @ part) / (1 - share) if share < 1 else len(part) * alone
    return float(np.clip(1 + (together - alone) / everything, 1, n))


def _alone(values: Floats) -> float:
    """n^2 times the variance of the mean of independent values."""
    deviation = values - values.mean()
    return float(deviation @ deviation / (1 - 1 / len(values))) if len(values) > 1 else 0.0


def clusters_of(rows: pd.DataFrame) -> Clusters | None:
    """The labels in the column `cluster` of some rows; None where there are none.

    A label that stands alone changes nothing, so that examples without any may stand beside others.
    """
    if "cluster" not in rows:
        return None
    labels = [labels_of(value) for value in rows["cluster"]]
    return labels if any(labels) else None


def labels_of(labels: object) -> tuple[str, ...]:
    """Labels as a table holds them: a text, a list, or a missing value for none."""
    if isinstance(labels, str):
        return (labels,)
    return tuple(labels) if isinstance(labels, Iterable) else ()


@lru_cache(maxsize=32)  # the groups of a table, each of which many arms have in common
def _together(labels: tuple[tuple[str, ...], ...]) -> csr_array:
    """(example, example): 1 where two share a label, of examples that have any."""
    number: dict[str, int] = {}
    pairs = [
        (i, number.setdefault(label, len(number))) for i, own in enumerate(labels) for label in own
    ]
    where = np.array(pairs).T
    has = csr_array((np.ones(len(pairs)), (where[0], where[1])))
    together = csr_array(has @ has.T)
    together.data[:] = 1
    return together

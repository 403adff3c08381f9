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
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array

from latentlab.measures.samples import Floats

Labels = str | Iterable[str] | None
"""What an example shares with others: one label, several, or none."""


@dataclass(frozen=True)
class Stratified:
    """Labels of examples of which so many were asked of each stratum, whatever was drawn."""

    labels: Sequence[Labels]
    """(example,) what each shares."""

    strata: Sequence[str]
    """(example,) stratum of each, such as its domain."""

    @cached_property
    def pairs(self) -> "Pairs":
        """Who belongs together; found once for all values of these examples."""
        of = np.unique(np.asarray(self.strata, dtype=str), return_inverse=True)[1]
        one, other = _together(tuple(labels_of(own) for own in self.labels))
        return Pairs(of, one, other, of[one] == of[other])


@dataclass(frozen=True, eq=False)
class Pairs:
    """All pairs of examples that share a label, in either order, and of each with itself."""

    stratum: npt.NDArray[np.intp]
    """(example,) number of the stratum of each."""

    one: npt.NDArray[np.intp]
    """(pair,) the first of each."""

    other: npt.NDArray[np.intp]
    """(pair,) the second of each."""

    within: npt.NDArray[np.bool_]
    """(pair,) whether both are of one stratum."""


Clusters = Sequence[Labels] | Stratified
"""The labels of each example, in the order of the values."""


def design_effect(values: Floats, clusters: Clusters | None) -> float:
    """The variance of a mean over clustered examples, by that of as many independent ones.

    Kish's (1965) deff: n examples tell as much as n / deff independent ones. What pairs share is
    taken about the mean of their stratum: that digits are harder than letters is nothing that two
    questions about digits have in common by chance. Sums within a stratum are scaled so that for
    independent values their expectation is exact, as n - 1 does without clusters; for clusters of
    one size it is G / (G - 1) for G of them. Less than 1 is taken for 1, since it would be due to
    chance; a single cluster is one draw, whatever its size. Where nothing varies, clusters have
    left no mark and the effect is 1.

    Args:
        values: (example,) of numbers.
        clusters: labels of each example; None where all are independent.

    Raises:
        ValueError: Labels are not as many as values.
    """
    if clusters is None:
        return 1.0
    if not isinstance(clusters, Stratified):
        clusters = Stratified(clusters, [""] * len(clusters))
    n, known = len(values), len(clusters.labels)
    if known != n:
        raise ValueError(f"{n} values and labels of {known}: one per example is needed")
    whole = values - values.mean()
    if n < 2 or not whole.any():
        return 1.0
    shared = clusters.pairs
    of, one, other, within = shared.stratum, shared.one, shared.other, shared.within
    size = np.bincount(of)
    deviation = values - (np.bincount(of, values) / size)[of]
    product = deviation[one] * deviation[other]
    pairs = np.bincount(of[one[within]], minlength=len(size)) / size**2
    alone = np.bincount(of, deviation**2) / np.maximum(1 - 1 / size, 0.5)  # one alone has none
    together = np.bincount(of[one[within]], product[within], minlength=len(size))
    together = np.where(pairs < 1, together / np.where(pairs < 1, 1 - pairs, 1), size * alone)
    excess = (together - alone).sum() + product[~within].sum()
    return float(np.clip(1 + excess * (1 - 1 / n) / (whole @ whole), 1, n))


def clusters_of(rows: pd.DataFrame) -> Clusters | None:
    """What the examples of some rows share, by the column `cluster`; None where nothing.

    It holds lists of labels: of the scans that an example reads, and of the donor whose latents it
    was given. The column `domain`, where there is one, is the stratum.
    """
    if "cluster" not in rows:
        return None
    labels = [labels_of(own) for own in rows["cluster"]]
    if not any(labels):
        return None
    return Stratified(labels, rows["domain"].astype(str).tolist()) if "domain" in rows else labels


def labels_of(labels: object) -> tuple[str, ...]:
    """Labels as a table holds them: a text, a list, or a missing value for none."""
    if isinstance(labels, str):
        return (labels,)
    return tuple(labels) if isinstance(labels, Iterable) else ()


@lru_cache(maxsize=32)  # the groups of a table, each of which many arms have in common
def _together(
    labels: tuple[tuple[str, ...], ...],
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Both members of all pairs that share a label, in either order, and of each with itself."""
    number: dict[str, int] = {}
    pairs = [
        (i, number.setdefault(label, len(number))) for i, own in enumerate(labels) for label in own
    ]
    # One more label each, of its own, for the pair with itself.
    pairs += [(i, len(number) + i) for i in range(len(labels))]
    where = np.array(pairs).T
    has = csr_array((np.ones(len(pairs)), (where[0], where[1])))
    one, other = (has @ has.T).nonzero()
    return one, other

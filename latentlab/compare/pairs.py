"""How much more often one way is right than another on the same questions.

Every way is set against three: no reasoning, reasoning in words, and reasoning in latents. The
tests of one group of questions are one family, whose p-values are adjusted together.
"""

from collections.abc import Iterator

import pandas as pd

from latentlab.compare.rows import WAY
from latentlab.measures.changes import accuracy_difference
from latentlab.measures.clusters import Clusters, clusters_of
from latentlab.measures.significance import holm, mcnemar
from latentlab.measures.summary import ALL

BASES = ("no_cot", "cot", "ivtlr")
"""What every way is set against."""

_GROUPS = ((), ("domain",), ("hops",), ("domain", "hops"))

_COLUMNS = ["way", "base", "domain", "hops", "n", "delta", "delta_low", "delta_high"]
_COLUMNS += ["gained", "lost", "p_mcnemar", "p_holm", "family"]


def pairs_of(rows: pd.DataFrame) -> pd.DataFrame:
    """One line per pair of ways and group of examples.

    Args:
        rows: with the columns `way, example, domain, hops, cluster, correct`.

    Returns:
        `way` and `base` (two of the bases are paired once), `domain` and `hops` (`all` where a line
        does not divide by them), `n`, the difference `delta` in strict accuracy, the way's minus
        the base's, with the score interval of paired answers, how many questions it `gained` and
        `lost`, McNemar's `p_mcnemar`, and `p_holm`, adjusted for the `family` of all pairs of that
        group. Questions that share scans count for as much as they tell.
    """
    ways = list(dict.fromkeys(rows[WAY]))
    there = [base for base in BASES if base in ways]
    pairs = [(way, base) for base in there for way in ways if way != base]
    pairs = [pair for i, pair in enumerate(pairs) if pair[::-1] not in pairs[:i]]
    lines = pd.DataFrame(_lines(rows, pairs), columns=_COLUMNS[:-2])
    if lines.empty:
        return lines.reindex(columns=_COLUMNS)
    families = lines.groupby(["domain", "hops"], sort=False)["p_mcnemar"]
    lines["p_holm"] = families.transform(lambda p: holm(p.to_numpy()))
    lines["family"] = families.transform("size")
    return lines.astype({"p_holm": float, "family": int})


def of_group(rows: pd.DataFrame, hops: str) -> pd.DataFrame:
    """Rows of the questions with so many hops, or all."""
    return rows if hops == ALL else rows[rows["hops"].astype("string") == hops]


def side_by_side(
    rows: pd.DataFrame, columns: str | list[str]
) -> tuple[pd.DataFrame, Clusters | None]:
    """Whether each example was answered right, a column for each value of `columns`.

    Returns:
        The table, indexed by example, and what its examples share.
    """
    right = rows.pivot(index="example", columns=columns, values="correct")
    firsts = rows.drop_duplicates("example").set_index("example").loc[right.index]
    return right, clusters_of(firsts)


def both_ways(lines: pd.DataFrame) -> pd.DataFrame:
    """Pairs, and each of them the other way round as well."""
    ends = {"delta": -lines["delta"], "delta_low": -lines["delta_high"]}
    swapped = {"way": lines["base"], "base": lines["way"], "delta_high": -lines["delta_low"]}
    counts = {"gained": lines["lost"], "lost": lines["gained"]}
    return pd.concat([lines, lines.assign(**ends, **swapped, **counts)], ignore_index=True)


def _lines(rows: pd.DataFrame, pairs: list[tuple[str, str]]) -> Iterator[dict[str, object]]:
    for by in _GROUPS:
        for values, group in rows.groupby(list(by)) if by else [((), rows)]:
            named = {name: str(value) for name, value in zip(by, values, strict=True)}
            right, clusters = side_by_side(group, WAY)
            for way, base in pairs:
                after, before = right[way].to_numpy(bool), right[base].to_numpy(bool)
                found = accuracy_difference(after, before, clusters)
                yield {
                    "way": way,
                    "base": base,
                    **{"domain": ALL, "hops": ALL, **named},
                    "n": found.n,
                    **found.columns("delta"),
                    "gained": int((after & ~before).sum()),
                    "lost": int((before & ~after).sum()),
                    "p_mcnemar": mcnemar(after, before, clusters),
                }

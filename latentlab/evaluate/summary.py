"""Lines about answers as they are: how often right, by which reading, and at what cost.

The strict reading counts. The likelihood of the options shows what a model knows but does not put
into the asked form, and the published lenient match is there to be compared with published numbers.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from latentlab.measures.clusters import clusters_of
from latentlab.measures.statistics import (
    Interval,
    accuracy_interval,
    bootstrap_interval,
    columns_of,
)
from latentlab.measures.summary import ALL
from latentlab.vocabulary import OWN_WAY

READINGS = {
    "accuracy": "correct",
    "likelihood": "correct_likelihood",
    "lenient": "correct_lenient",
}
"""Columns of the lines, and the columns of the rows they are made of."""

TIMES = "times"
"""Column of rows: seconds an answer in each round of timing, the same for all of a model."""

COSTS = ("autoregressive_steps", "latent_steps", "new_tokens")

OF_METHODS = ("forward_tokens", "pictures", "calls", "format_failures")
"""Further costs, of rows by methods."""

_GROUPS = ((), ("domain",), ("domain", "topic"), ("hops",), ("domain", "hops"))


def summary_of(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """One line per model, arm and group of examples.

    Args:
        rows: rows of `study.run.run_arms`.
        seed: seed of the bootstrap.

    Returns:
        A column that a line does not divide by reads `all`; `hops` that are not known give no
        lines. Beside `model, data, intervention, kind, domain, topic, hops, n` there are, each with
        `_low` and `_high`,

        - `accuracy`, `likelihood`, `lenient`: fraction of right answers by the strict reading, by
          the likelihood of the options and by the published match, with Wilson intervals, of
          examples that share scans where rows say so (`measures.clusters`); missing where a reading
          does not apply;
        - `autoregressive_steps`, `latent_steps`, `new_tokens`: means over answers with bootstrap
          intervals;
        - `forward_tokens`, `pictures`, `calls`, `format_failures`: the same, of rows by methods,
          whose lines have the column `method` beside `kind`;
        - `seconds`: time per answer, for all examples only, since a batch mixes groups and its
          answers share its time: the median of timings in turns (`evaluate.timing`), and in place
          of an interval their range. Rows that were not timed so, of older results, have the mean
          and an interval over batches, missing where there was but one.
    """
    return pd.DataFrame(_lines(rows, seed))


def _lines(rows: pd.DataFrame, seed: int) -> Iterator[dict[str, object]]:
    names = ["model", "data", "intervention", "kind"]
    if "method" in rows:  # models that are left alone may stand beside those asked by a method
        names, rows = [*names, "method"], rows.fillna({"method": OWN_WAY})
    everything = {"domain": ALL, "topic": ALL, "hops": ALL}
    for arm, of_arm in rows.groupby(names, sort=False):
        head = dict(zip(names, arm, strict=True))
        for by in _GROUPS:
            groups = of_arm.groupby(list(by)) if by else [((), of_arm)]
            for values, group in groups:
                named = {name: str(value) for name, value in zip(by, values, strict=True)}
                measured = _measure(group, seed, in_all=not by)
                yield {**head, **everything, **named, "n": len(group), **measured}


def _measure(group: pd.DataFrame, seed: int, in_all: bool) -> dict[str, float]:
    found: dict[str, Interval | None] = {}
    for name, column in READINGS.items():
        known = group[group[column].notna()]
        right = known[column].astype(bool).to_numpy()
        found[name] = accuracy_interval(right, clusters_of(known)) if len(known) else None
    for name in (*COSTS, *(name for name in OF_METHODS if name in group)):
        values = group[name].to_numpy(float)
        found[name] = None if np.isnan(values).any() else bootstrap_interval(values, seed=seed)
    found["seconds"] = _time(group, seed) if in_all else None
    return {
        column: value
        for name, interval in found.items()
        for column, value in columns_of(name, interval).items()
    }


def _time(group: pd.DataFrame, seed: int) -> Interval | None:
    """Median and range of the timings, which stand in every row."""
    if TIMES not in group:
        return _over_batches(group["seconds"], seed)
    times = group[TIMES].iloc[0]
    if times is None:
        return None
    return Interval(float(np.median(times)), min(times), max(times), len(times))


def _over_batches(seconds: pd.Series[float], seed: int) -> Interval:
    """Mean time; the answers of a batch have one and the same, which no other batch has."""
    interval = bootstrap_interval(seconds.unique(), seed=seed)
    ends = (interval.low, interval.high) if interval.n > 1 else (np.nan, np.nan)
    return Interval(float(seconds.mean()), *ends, interval.n)

"""Repeated draws of one arm: several seeds, and still as many examples as were asked.

Answers to one example under several draws of noise are not independent. Each example therefore
enters once, with its mean over seeds: more seeds steady that mean and add nothing to n.
"""

from collections.abc import Sequence
from itertools import chain

import pandas as pd


def mean_over_seeds(rows: pd.DataFrame, key: Sequence[str], values: Sequence[str]) -> pd.DataFrame:
    """Leave one row for each example and arm, with means over seeds.

    Args:
        rows: one row per example, arm and seed.
        key: columns that name an example under an arm.
        values: numeric columns to average; a mean is missing where a value is.

    Returns:
        The first row of each, in order, with `values` averaged, the column `seeds`: how many there
        were, and where there is a column `cluster`, the labels under all of them.
    """
    found = rows.astype(dict.fromkeys(values, "float64"))
    grouped = found.groupby(list(key), sort=False)
    seeds = grouped[key[0]].transform("size")
    if (seeds == 1).all():
        return found.assign(seeds=1)
    for name in values:
        known = grouped[name].transform("count") == seeds
        found[name] = grouped[name].transform("mean").where(known)
    if "cluster" in found:
        labels = grouped["cluster"].agg(lambda of: list(dict.fromkeys(chain(*of))))
        found["cluster"] = found[list(key)].join(labels, on=list(key))["cluster"]
    return found.assign(seeds=seeds).drop_duplicates(list(key))

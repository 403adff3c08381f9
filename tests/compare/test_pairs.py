"""Paired differences: each pair once, adjusted together, and never made smaller by it."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from latentlab.compare.pairs import BASES, both_ways, pairs_of
from tests.compare.made import rows_of

FOUR = {
    "no_cot": (0.3, 3, 0.1),
    "cot": (0.9, 9, 0.2),
    "ccot": (0.8, 9, 0.2),
    "ivtlr": (0.7, 6, 0.1),
}


@pytest.fixture(scope="module")
def pairs():
    return pairs_of(rows_of(FOUR))


def test_each_pair_is_tested_once_in_each_group(pairs):
    for _, lines in pairs.groupby(["domain", "hops"]):
        told = {frozenset(pair) for pair in zip(lines["way"], lines["base"], strict=True)}
        assert len(told) == len(lines) == 3 + 2 + 1
        assert lines["family"].eq(6).all()
    assert len(pairs.groupby(["domain", "hops"])) == 1 + 2 + 2 + 4
    assert set(pairs["base"]) == set(BASES)


def test_differences_are_after_minus_before(pairs):
    rows = rows_of(FOUR)
    right = rows.groupby("way")["correct"].mean()
    whole = pairs[(pairs["domain"] == "all") & (pairs["hops"] == "all")]
    for _, line in whole.iterrows():
        assert line["delta"] == pytest.approx(right[line["way"]] - right[line["base"]])
        assert line["delta"] == pytest.approx((line["gained"] - line["lost"]) / line["n"])
        assert line["delta_low"] <= line["delta"] <= line["delta_high"]


@pytest.mark.parametrize("shares", [(0.5, 0.5, 0.5, 0.5), (0.05, 0.4, 0.6, 0.95)])
def test_adjusting_never_makes_a_p_value_smaller(shares):
    ways = {way: (share, 3, 0.1) for way, share in zip(FOUR, shares, strict=True)}
    for _, lines in pairs_of(rows_of(ways, 40)).groupby(["domain", "hops"]):
        raw, adjusted = lines["p_mcnemar"].to_numpy(), lines["p_holm"].to_numpy()
        assert (adjusted >= raw).all()
        assert (adjusted <= 1).all()
        np.testing.assert_allclose(adjusted, multipletests(raw, method="holm")[1])


def test_pairs_the_other_way_round_are_the_same_pairs(pairs):
    doubled = both_ways(pairs)
    assert len(doubled) == 2 * len(pairs)
    back = both_ways(doubled.iloc[len(pairs) :]).iloc[len(pairs) :]
    pd.testing.assert_frame_equal(back.reset_index(drop=True), pairs, check_like=True)


def test_one_way_alone_has_no_pairs():
    assert pairs_of(rows_of({"cot": (0.5, 3, 0.1)})).empty
    assert pairs_of(rows_of({"ccot": (0.5, 3, 0.1), "icot": (0.5, 3, 0.1)})).empty

"""Verdicts on made-up rows whose truth is known, and of intervals alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentlab.compare.claims import (
    CLAIMS,
    HOLDS,
    NOT,
    UNTOLD,
    claims_of,
    of_hardest,
    ratio_of_times,
    verdict,
)
from latentlab.compare.ways import WAYS
from latentlab.measures.statistics import Interval
from tests.compare.made import rows_of


def found(rows, name, against):
    lines = of_hardest(claims_of(rows)).set_index(["claim", "against"])
    return lines.loc[(name, against)]


def test_every_claim_holds_where_it_is_true():
    ways = dict.fromkeys(WAYS, (0.3, 100, 1.0)) | {"ivtlr": (0.7, 10, 0.1)}
    lines = claims_of(rows_of(ways | {"capimagine": (1.0, 100, 1.0)}))
    assert set(lines["verdict"]) == {HOLDS}
    assert len(of_hardest(lines)) == sum(len(claim.against) for claim in CLAIMS)


def test_no_claim_holds_where_all_are_false():
    ways = dict.fromkeys(WAYS, (0.9, 20, 0.2)) | {"ivtlr": (0.5, 10, 0.1)}
    lines = claims_of(rows_of(ways | {"capimagine": (0.1, 20, 0.2)}))
    assert set(lines["verdict"]) == {NOT}


def test_equal_accuracies_cannot_be_told_apart():
    rows = rows_of({"ivtlr": (0.8, 10, 0.1), "no_cot": (0.8, 3, 0.1), "coconut": (0.8, 6, 0.1)})
    line = found(rows, "more accurate than no reasoning", "no_cot")
    assert line["verdict"] == UNTOLD
    assert line["estimate_low"] < 0 < line["estimate_high"]
    assert line["n"] == 100


def test_estimates_are_what_the_rows_say():
    rows = rows_of({"ivtlr": (0.6, 10, 0.1), "cot": (0.8, 45, 0.3)})
    assert found(rows, "over 5 times faster", "cot")["estimate"] == pytest.approx(3)
    assert found(rows, "at least 9 times fewer steps", "cot")["estimate"] == pytest.approx(4.5)
    four = rows[rows["hops"] == 4].groupby("way")["correct"].mean()
    line = found(rows, "more accurate than explicit ways", "cot")
    assert line["estimate"] == pytest.approx(four["ivtlr"] - four["cot"])


def test_ways_that_are_not_there_have_no_lines():
    lines = claims_of(rows_of({"ivtlr": (0.6, 10, 0.1), "cot": (0.8, 45, 0.3)}))
    assert set(lines["against"]) == {"cot"}
    assert claims_of(rows_of({"cot": (0.8, 45, 0.3)})).empty


@given(st.floats(-3, 3), st.floats(0, 2), st.floats(0, 2), st.booleans())
def test_a_verdict_is_that_of_the_interval_alone(low, below, above, reach):
    interval = Interval(low + below, low, low + below + above, 9)
    said = verdict(interval, 0.0, reach)
    inside = interval.low < 0 < interval.high
    assert (said == UNTOLD) or not inside
    assert said != HOLDS or interval.low >= 0
    assert said != NOT or interval.high <= 0
    # The mirrored claim has the mirrored verdict.
    mirrored = Interval(-interval.mean, -interval.high, -interval.low, 9)
    swapped = {HOLDS: NOT, NOT: HOLDS, UNTOLD: UNTOLD}
    assert verdict(mirrored, 0.0, not reach) == swapped[said]


def test_times_are_compared_round_by_round():
    drifting = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    ratio = ratio_of_times(drifting, 2 * drifting)
    assert ratio.mean == pytest.approx(2)
    # A machine that grows slower is no doubt about who is faster.
    assert ratio.high - ratio.low == pytest.approx(0, abs=1e-9)
    assert ratio_of_times([1.0], [2.0]) is None
    assert ratio_of_times(None, [1.0, 2.0]) is None

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import DescrStatsW

from latentlab.measures.significance import holm, mcnemar
from latentlab.measures.statistics import (
    Interval,
    accuracy_interval,
    bootstrap_interval,
    judge,
    paired_difference,
    ratio_interval,
    smallest_effect,
)

answers = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


@pytest.mark.parametrize("truth", [0.05, 0.5, 0.93])
@pytest.mark.parametrize("n", [40, 300])
def test_accuracy_interval_covers_the_truth_as_often_as_it_says(truth, n):
    rng = np.random.default_rng(n)
    intervals = [accuracy_interval(rng.random(n) < truth) for _ in range(400)]
    covered = np.mean([i.low <= truth <= i.high for i in intervals])
    # Around 95 %; 400 trials alone scatter by 1.1 %, and counts are discrete.
    assert 0.91 <= covered <= 0.99


def test_bootstrap_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(1)
    samples = rng.exponential(size=(300, 80))
    intervals = [bootstrap_interval(s, n_resamples=500, seed=k) for k, s in enumerate(samples)]
    assert 0.90 <= np.mean([i.low <= 1 <= i.high for i in intervals]) <= 0.98


def test_paired_difference_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(2)
    covered = []
    for k in range(400):
        baseline = rng.random(150) < 0.8
        treated = baseline & (rng.random(150) < 0.75)  # a quarter of 80 % is lost: -0.2
        interval = paired_difference(treated, baseline, n_resamples=500, seed=k)
        covered.append(interval.low <= -0.2 <= interval.high)
    assert 0.91 <= np.mean(covered) <= 0.98


def test_counts_drawn_directly_agree_with_resampled_examples():
    rng = np.random.default_rng(3)
    values = rng.choice([-1.0, 0.0, 1.0], size=200, p=[0.3, 0.6, 0.1])
    drawn = values[rng.integers(0, 200, (20_000, 200))].mean(axis=1)
    interval = bootstrap_interval(values, n_resamples=20_000)
    assert (interval.low, interval.high) == pytest.approx(
        np.quantile(drawn, [0.025, 0.975]), abs=5e-3
    )


def test_many_distinct_values_are_resampled_in_blocks(monkeypatch):
    values = np.random.default_rng(4).normal(size=100)
    monkeypatch.setattr("latentlab.measures.bootstrap._FEW_VALUES", 100)
    whole = bootstrap_interval(values)
    monkeypatch.setattr("latentlab.measures.bootstrap._BLOCK", 700)
    parts = bootstrap_interval(values)
    assert (parts.low, parts.high) == pytest.approx((whole.low, whole.high), rel=1e-12)


def test_counted_draws_agree_with_drawn_counts_and_do_not_depend_on_order(monkeypatch):
    values = np.random.default_rng(5).normal(size=80)
    counted = bootstrap_interval(values, n_resamples=20_000)
    assert bootstrap_interval(values[::-1], n_resamples=20_000) == counted
    monkeypatch.setattr("latentlab.measures.bootstrap._FEW_VALUES", 100)
    drawn = bootstrap_interval(values, n_resamples=20_000)
    assert (counted.low, counted.high) == pytest.approx((drawn.low, drawn.high), abs=1e-2)


@given(answers)
@settings(max_examples=60, deadline=None)
def test_paired_measures_follow_their_definitions(pairs):
    treated, baseline = np.array(pairs).T
    difference = paired_difference(treated, baseline, n_resamples=50)
    assert difference.mean == pytest.approx(treated.mean() - baseline.mean())
    assert -1 <= difference.low <= difference.high <= 1
    reverse = paired_difference(baseline, treated, n_resamples=50)
    assert reverse.mean == -difference.mean
    assert mcnemar(treated, baseline) == mcnemar(baseline, treated)
    same = paired_difference(treated, treated, n_resamples=50)
    assert (same.mean, same.low, same.high) == (0, 0, 0)
    assert mcnemar(treated, treated) == 1


def test_mcnemar_counts_only_disagreements():
    lost, gained = [False] * 9 + [True], [True] * 9 + [False]
    # Both tails of a fair coin that falls 9 or more times the same way in 10 throws.
    assert mcnemar(lost, gained) == pytest.approx(2 * (10 + 1) / 2**10)
    assert mcnemar(lost + [True] * 90, gained + [True] * 90) == mcnemar(lost, gained)


def test_wilson_keeps_a_width_where_nothing_failed():
    interval = accuracy_interval(np.ones(100, dtype=bool))
    assert interval.mean == 1
    assert interval.high == pytest.approx(1)
    assert interval.low == pytest.approx(100 / (100 + 1.959964**2))  # Wilson's formula at p = 1


@pytest.mark.parametrize("n", [1, 2, 5, 30])
def test_holm_agrees_with_the_reference(n):
    p_values = np.random.default_rng(n).random(n) ** 3
    p_values[: n // 2] = p_values[0]  # ties
    np.testing.assert_allclose(holm(p_values), multipletests(p_values, method="holm")[1])


def test_same_seed_same_interval():
    values = np.random.default_rng(5).normal(size=50)
    assert bootstrap_interval(values, seed=1) == bootstrap_interval(values, seed=1)
    assert bootstrap_interval(values, seed=1) != bootstrap_interval(values, seed=2)


@pytest.mark.parametrize(
    "estimate",
    [
        accuracy_interval,
        bootstrap_interval,
        holm,
        lambda v: paired_difference(v, v),
        lambda v: mcnemar(v, v),
    ],
)
@pytest.mark.parametrize(
    ("values", "complaint"),
    [([], "empty"), ([1.0, float("nan")], "missing"), ([[1.0], [0.0]], "shape")],
)
def test_nothing_missing_or_shapeless_is_estimated_from(estimate, values, complaint):
    with pytest.raises(ValueError, match=complaint):
        estimate(values)


def test_what_is_no_answer_or_no_pair_is_refused():
    with pytest.raises(ValueError, match="other than true and false"):
        accuracy_interval([0.5, 1.0])
    with pytest.raises(ValueError, match="pairs"):
        paired_difference([1, 0], [1])
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm([0.2, 1.2])


def test_ratio_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(7)
    covered = []
    for k in range(300):
        total = rng.normal(4, 2, size=100)
        part = 0.6 * total + rng.normal(0, 1, size=100)
        interval = ratio_interval(part, total, n_resamples=500, seed=k)
        covered.append(interval.low <= 0.6 <= interval.high)
    assert 0.90 <= np.mean(covered) <= 0.99


def test_a_ratio_is_paired_and_does_not_depend_on_order_or_blocks(monkeypatch):
    rng = np.random.default_rng(8)
    total = rng.normal(-3, 1, size=90)
    whole = ratio_interval(total, total)
    assert (whole.mean, whole.low, whole.high) == pytest.approx((1, 1, 1), abs=1e-12)
    part = rng.normal(-1, 1, size=90)
    interval = ratio_interval(part, total)
    assert interval.mean == pytest.approx(part.mean() / total.mean())
    assert interval.low < interval.mean < interval.high
    order = rng.permutation(90)
    shuffled = ratio_interval(part[order], total[order])
    assert (shuffled.low, shuffled.high) == pytest.approx((interval.low, interval.high), rel=1e-12)
    monkeypatch.setattr("latentlab.measures.bootstrap._BLOCK", 9000)
    blocks = ratio_interval(part, total)
    assert (blocks.low, blocks.high) == pytest.approx((interval.low, interval.high), abs=0.05)


def test_a_ratio_to_what_may_be_nothing_is_none():
    rng = np.random.default_rng(9)
    assert ratio_interval(rng.normal(size=50), rng.normal(size=50)) is None
    assert ratio_interval([1.0, 2.0], [0.0, 0.0]) is None
    # Nothing over something negative is 0 without a sign.
    nothing = ratio_interval(np.zeros(20), rng.normal(-5, 1, size=20))
    assert str((nothing.mean, nothing.low, nothing.high)) == "(0.0, 0.0, 0.0)"
    with pytest.raises(ValueError, match="pairs"):
        ratio_interval([1.0], [1.0, 2.0])


def test_the_smallest_effect_is_that_of_the_reference():
    values = np.random.default_rng(10).normal(0.3, 2.0, size=400)
    expected = TTestPower().solve_power(nobs=400, power=0.8, alpha=0.05) * values.std(ddof=1)
    assert smallest_effect(values, answers=False) == pytest.approx(expected, rel=5e-3)
    assert smallest_effect(3 * values, answers=False) == pytest.approx(3 * expected, rel=5e-3)
    assert smallest_effect(values + 7, answers=False) == pytest.approx(expected, rel=5e-3)
    assert smallest_effect(np.tile(values, 4), answers=False) == pytest.approx(
        expected / 2, rel=5e-3
    )


@pytest.mark.parametrize("n", [200, 500, 2000])
def test_an_effect_that_only_takes_away_is_found_as_often_as_it_says(n):
    assert mcnemar([0] * 6, [1] * 6) < 0.05 < mcnemar([0] * 5, [1] * 5)
    found = binom.sf(5, n, smallest_effect(np.zeros(n)))
    assert found == pytest.approx(0.8, abs=0.04)


def test_what_never_varied_has_a_smallest_effect_only_where_answers_bound_it():
    assert np.isnan(smallest_effect(np.zeros(50), answers=False))
    assert smallest_effect([0.0]) == pytest.approx(0.887, abs=1e-3)
    # A few changes do not make it smaller than none.
    changed = np.zeros(500)
    assert smallest_effect(changed + np.eye(500)[0]) == smallest_effect(changed)
    with pytest.raises(ValueError, match="missing"):
        smallest_effect([np.nan])


@pytest.mark.parametrize("truth", [0.0, 0.02, 0.045, 0.05, 0.06, 0.2])
def test_no_harm_is_what_two_one_sided_tests_say(truth):
    rng = np.random.default_rng(11)
    for n in (60, 400):
        values = rng.choice([-1.0, 0.0, 1.0], size=n, p=[0.1 + truth, 0.8 - truth, 0.1])
        sample = DescrStatsW(values)
        low, high = sample.zconfint_mean()
        verdict = judge(Interval(values.mean(), low, high, n), margin=0.1)
        equivalent = sample.ztost_mean(-0.1, 0.1)[0] < 0.025
        assert (verdict == "no harm") == (equivalent and low <= 0 <= high)


def test_the_verdict_has_four_values_and_two_of_them_turn_with_the_sign():
    def of(low, high, n=1000):
        return judge(Interval((low + high) / 2, low, high, n))

    assert [of(-0.02, -0.01), of(0.01, 0.02)] == ["harm", "gain"]
    assert [of(-0.04, 0.04), of(-0.06, 0.01), of(-0.01, 0.06)] == ["no harm", *["cannot tell"] * 2]
    assert [of(0, 0, n=73), of(0, 0, n=74)] == ["cannot tell", "no harm"]  # 3.7 / n below 5 %
    with pytest.raises(ValueError, match="margin"):
        judge(Interval(0, 0, 0, 10), margin=0)

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.sandwich_covariance import cov_cluster_2groups

from latentlab.measures.clusters import Stratified, clusters_of, design_effect, labels_of
from latentlab.measures.statistics import (
    accuracy_interval,
    bootstrap_interval,
    paired_difference,
    ratio_interval,
    smallest_effect,
)


def variance(values, clusters):
    """Variance of the mean that the design effect stands for."""
    return design_effect(values, clusters) * values.var(ddof=1) / len(values)


def scanned(rng, n, scans=170, read=8):
    """Which scans a question shows, and whether it is answered right: a few scans mislead."""
    wrong = rng.beta(0.15, 4, scans)
    shown = rng.random((n, scans)).argpartition(read, axis=1)[:, :read]
    return rng.random(n) < np.prod(1 - wrong[shown], axis=1), shown.astype(str).tolist()


def test_one_label_an_example_agrees_with_cluster_robust_errors():
    rng = np.random.default_rng(0)
    cluster = rng.integers(40, size=200)
    values = rng.normal(size=40)[cluster] + rng.normal(size=200)
    model = sm.OLS(values, np.ones(200))
    found = model.fit(cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False})
    # The same sum over pairs, but for the factor that corrects for few clusters.
    share = sum((cluster == one).sum() ** 2 for one in range(40)) / 200**2
    assert variance(values, cluster.astype(str)) == pytest.approx(
        float(found.cov_params()[0, 0]) / (1 - share)
    )


def test_two_columns_of_labels_agree_with_errors_clustered_both_ways():
    rng = np.random.default_rng(1)
    donors, pictures = rng.integers(30, size=300), rng.integers(25, size=300)
    values = rng.normal(size=30)[donors] + rng.normal(size=25)[pictures] + rng.normal(size=300)
    both, _, _ = cov_cluster_2groups(
        sm.OLS(values, np.ones(300)).fit(), donors, pictures, use_correction=False
    )
    labels = [(f"d{d}", f"p{p}") for d, p in zip(donors, pictures, strict=True)]
    alike = (donors[:, None] == donors) | (pictures[:, None] == pictures)
    assert variance(values, labels) == pytest.approx(float(both[0, 0]) / (1 - alike.mean()))


def test_examples_that_share_nothing_change_nothing():
    values = np.random.default_rng(2).normal(size=90)
    hits = values > 0
    alone = [str(i) for i in range(90)]
    for clusters in (alone, [None] * 90, [[]] * 90, [float("nan")] * 90):
        assert design_effect(values, clusters) == 1
        assert bootstrap_interval(values, clusters=clusters) == bootstrap_interval(values)
        assert accuracy_interval(hits, clusters) == accuracy_interval(hits)
        assert smallest_effect(values, clusters) == smallest_effect(values)
        ratio = ratio_interval(values + 9, values + 5, clusters=clusters)
        assert ratio == ratio_interval(values + 9, values + 5)


def test_a_harder_domain_is_not_taken_for_something_that_its_questions_share():
    rng = np.random.default_rng(10)
    hard, scans = scanned(rng, 200)
    easy = np.ones(400)
    effect = design_effect(hard.astype(float), scans)
    assert effect > 1.2
    both = np.concatenate([hard.astype(float), easy])
    clusters = Stratified([*scans, *[[]] * 400], ["hard"] * 200 + ["easy"] * 400)
    # What the hard ones have in common is what it was; easy ones add variance of their own.
    added = (effect - 1) * hard.var(ddof=1) / 200 * 200**2 / 600**2
    assert variance(both, clusters) == pytest.approx(both.var(ddof=1) / 600 + added)
    # Independent answers, a third of them hard: nothing shared, whatever the difference in means.
    effects = []
    for _ in range(60):
        independent = np.concatenate([rng.random(200) < 0.6, easy > 0]).astype(float)
        effects.append(design_effect(independent, clusters))
    assert np.mean(effects) < 1.7  # about the mean of all examples it would be 9


def test_rows_tell_labels_and_strata():
    rows = pd.DataFrame({"domain": ["a", "b"], "cluster": [["s1", "s2"], []]})
    assert clusters_of(rows) == Stratified([("s1", "s2"), ()], ["a", "b"])
    assert clusters_of(rows.drop(columns="domain")) == [("s1", "s2"), ()]
    assert clusters_of(rows[["domain"]]) is clusters_of(rows.iloc[1:]) is None


def test_pairs_across_strata_count_and_strata_of_one_label_are_one_draw_each():
    rng = np.random.default_rng(11)
    shared = rng.normal(size=50)
    values = np.concatenate([shared, shared]) + np.repeat([0.0, 5.0], 50)
    strata, labels = ["a"] * 50 + ["b"] * 50, [str(i) for i in range(50)] * 2
    # Each example of one stratum is repeated in the other: deviations tell half as much.
    spread = np.concatenate([shared, shared]).var() / 100
    excess = variance(values, Stratified(labels, strata)) - values.var(ddof=1) / 100
    assert excess == pytest.approx(spread)
    alike = Stratified(strata, strata)
    within = (shared.var(ddof=1) / 50) * (50 - 1) * 2 * 50**2 / 100**2
    assert variance(values, alike) == pytest.approx(values.var(ddof=1) / 100 + within)


def test_copies_of_an_example_tell_nothing_new():
    values = np.random.default_rng(3).normal(1, 1, size=60)
    copied, clusters = np.repeat(values, 4), np.repeat(np.arange(60), 4).astype(str)
    assert variance(copied, clusters) == pytest.approx(values.var(ddof=1) / 60)
    once, often = bootstrap_interval(values), bootstrap_interval(copied, clusters=clusters)
    assert (often.low, often.high) == pytest.approx((once.low, once.high), abs=0.05)
    total = copied + 5
    once = ratio_interval(values, values + 5)
    often = ratio_interval(copied, total, clusters=clusters)
    assert (often.low, often.high) == pytest.approx((once.low, once.high), abs=0.01)
    assert smallest_effect(copied, clusters) == pytest.approx(smallest_effect(values), rel=1e-2)
    right, clustered = accuracy_interval(values > 1), accuracy_interval(copied > 1, clusters)
    assert (clustered.low, clustered.high) == pytest.approx((right.low, right.high), abs=2e-3)


def test_order_and_names_of_labels_do_not_matter():
    correct, clusters = scanned(np.random.default_rng(4), 150)
    effect = design_effect(correct.astype(float), clusters)
    assert effect > 1.1
    order = np.random.default_rng(5).permutation(150)
    shuffled = [[f"scan {label}" for label in clusters[i][::-1]] for i in order]
    assert design_effect(correct[order].astype(float), shuffled) == pytest.approx(effect)


def test_a_single_cluster_is_one_draw_and_an_interval_stays_among_its_values():
    values = np.random.default_rng(6).choice([-1.0, 0.0], size=40)
    assert design_effect(values, ["same"] * 40) == 40
    interval = paired_difference(values, np.zeros(40), clusters=["same"] * 40)
    assert (interval.low, interval.high) == (-1, 0)
    assert design_effect(np.zeros(40), ["same"] * 40) == 1
    assert labels_of("with spaces, one") == ("with spaces, one",)
    with pytest.raises(ValueError, match="39"):
        design_effect(values, ["same"] * 39)


def test_intervals_cover_the_truth_for_questions_that_share_scans():
    """Other questions about other scans; naive intervals miss it far too often."""
    rng = np.random.default_rng(7)
    truth = (1 - 0.15 / 4.15) ** 8
    found = []
    for k in range(160):
        correct, scans = scanned(rng, 250)
        naive, wilson = accuracy_interval(correct), accuracy_interval(correct, scans)
        found.append((naive, wilson, bootstrap_interval(correct, 300, k, scans)))
    naive, wilson, bootstrap = (
        np.mean([i.low <= truth <= i.high for i in of]) for of in zip(*found, strict=True)
    )
    assert naive < 0.85
    assert 0.88 <= wilson <= 0.98
    assert 0.88 <= bootstrap <= 0.98


def test_intervals_cover_the_truth_for_donors_that_are_used_again():
    rng = np.random.default_rng(8)
    donors = np.arange(400) % 80
    labels = donors.astype(str)
    naive, clustered = [], []
    for k in range(300):
        chance = rng.beta(0.4, 1.6, 80)[donors]
        lost = -(rng.random(400) < chance).astype(float)
        naive.append(paired_difference(lost, np.zeros(400), 300, k))
        clustered.append(paired_difference(lost, np.zeros(400), 300, k, labels))
    covered = [np.mean([i.low <= -0.2 <= i.high for i in of]) for of in (naive, clustered)]
    assert covered[0] < 0.86
    assert 0.92 <= covered[1] <= 0.98


def test_the_smallest_effect_of_clustered_examples_is_found_with_the_power_it_says():
    rng = np.random.default_rng(9)
    labels = (np.arange(600) % 60).astype(str)
    shift = rng.normal(0, 1, (400, 60))[:, np.arange(600) % 60]
    draws = shift + rng.normal(0, 1, (400, 600))
    effects = [smallest_effect(values, labels, answers=False) for values in draws]
    found = np.mean(
        [bootstrap_interval(v + np.mean(effects), 300, clusters=labels).low > 0 for v in draws]
    )
    assert found == pytest.approx(0.8, abs=0.06)

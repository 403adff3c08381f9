"""Probes read what was planted, nothing where nothing is, and are scikit-learn's."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

from latentlab.probe.probes import (
    FOLDS,
    PENALTY,
    SHUFFLES,
    ProbeSite,
    cross_validated,
    probe_grid,
    shuffled,
)

N, CLASSES = 400, 4


@pytest.fixture(scope="module")
def planted():
    """Labels, features that hold them, and features that do not."""
    rng = np.random.default_rng(0)
    labels = rng.integers(CLASSES, size=N)
    noise = rng.normal(size=(N, 16)).astype(np.float32)
    directions = rng.normal(size=(CLASSES, 16)).astype(np.float32)
    return labels, noise + 3 * directions[labels], noise


def test_a_planted_label_is_read_and_noise_is_not(planted):
    labels, features, noise = planted
    assert (cross_validated(features, labels[:, None])[:, 0] == labels).mean() > 0.95
    chance = (cross_validated(noise, labels[:, None])[:, 0] == labels).mean()
    assert abs(chance - 1 / CLASSES) < 4 * np.sqrt(0.25 * 0.75 / N)


def test_many_targets_at_once_are_as_many_ridge_classifiers(planted):
    labels, features, noise = planted
    codes = np.stack([labels, labels % 2, np.arange(N) % 3], axis=1)
    mixed = features * 0.1 + noise
    together = cross_validated(mixed, codes, seed=5)
    for fitted, test in KFold(FOLDS, shuffle=True, random_state=5).split(codes):
        scaler = StandardScaler().fit(mixed[fitted])
        for target in range(3):
            probe = RidgeClassifier(PENALTY * 16, solver="cholesky")
            probe.fit(scaler.transform(mixed[fitted]), codes[fitted, target])
            expected = probe.predict(scaler.transform(mixed[test]))
            assert (together[test, target] == expected).mean() >= 0.99  # ties may fall otherwise


def test_features_that_never_vary_give_the_commonest_label():
    codes = np.array([0] * 60 + [1] * 30)[:, None]
    constant = np.full((90, 8), 0.1, np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (cross_validated(constant, codes) == 0).all()


def test_labels_are_dealt_out_anew_within_groups():
    codes, groups = np.arange(40), ["a"] * 15 + ["b"] * 25
    dealt = shuffled(codes, groups, seed=1)
    assert sorted(dealt[:15]) == list(range(15))
    assert sorted(dealt[15:]) == list(range(15, 40))
    assert (dealt != codes).sum() > 30
    assert (shuffled(codes, groups, seed=1) == dealt).all()
    assert (shuffled(codes, groups, seed=2) != dealt).any()


def test_a_grid_has_the_same_examples_in_every_cell_and_shuffled_labels_at_chance(planted):
    labels, features, noise = planted
    places = {ProbeSite("slot", 1, 0): features, ProbeSite("slot", 2, 0): noise}
    domains = ["even" if label % 2 == 0 else "odd" for label in labels]
    targets = {"object 1": [f"thing {label}" for label in labels], "domain": domains}
    rows = probe_grid(places, targets, domains)
    cells = rows.groupby(["place", "step", "layer", "target"], sort=False, observed=True)
    assert cells.ngroups == 4
    assert all(list(cell["index"]) == list(range(N)) for _, cell in cells)
    assert list(rows["label"][:N]) == targets["object 1"]
    means = cells[["correct", "control"]].mean()
    assert means.loc[("slot", 1, 0, "object 1"), "correct"] > 0.95
    assert means.loc[("slot", 1, 0, "domain"), "correct"] > 0.95
    # Several shuffles, no two alike, none of them the labels; the control is their mean.
    each = [f"control_{i + 1}" for i in range(SHUFFLES)]
    assert rows["control"].to_numpy() == pytest.approx(rows[each].mean(axis=1), abs=1e-6)
    right = rows[rows["target"] == "object 1"][["correct", *each]].to_numpy(bool).T
    assert len({answers.tobytes() for answers in right}) == 1 + SHUFFLES
    fewer = probe_grid(places, targets, domains, shuffles=2)
    assert fewer["control_2"].equals(rows["control_2"]) and "control_3" not in fewer
    # The shuffled label is of the same domain, which the features tell: one of two is right.
    assert means.loc[("slot", 1, 0, "object 1"), "control"] == pytest.approx(0.5, abs=0.1)
    # The domain itself is shuffled over all examples.
    assert means.loc[("slot", 1, 0, "domain"), "control"] == pytest.approx(0.5, abs=0.1)
    assert means.loc[("slot", 2, 0, "object 1"), "control"] == pytest.approx(0.25, abs=0.1)

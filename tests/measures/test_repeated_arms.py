"""Seeds are averaged within an example, and n stays the number of examples."""

import itertools

import numpy as np
import pandas as pd
import pytest

from latentlab.measures.repeated import mean_over_seeds
from latentlab.measures.significance import mcnemar, sign_flip

KEY = ["example", "intervention"]


def draws(values: dict[str, list[float]], name="noise") -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"example": example, "intervention": name, "seed": seed, "correct": value, "kl": value}
            for example, row in values.items()
            for seed, value in enumerate(row)
        ]
    )


def test_an_example_counts_once_with_its_mean():
    rows = pd.concat([draws({"a": [1, 0, 0], "b": [1, 1, 1]}), draws({"a": [1], "b": [0]}, "none")])
    found = mean_over_seeds(rows, KEY, ["correct"])
    assert found["correct"].tolist() == pytest.approx([1 / 3, 1, 1, 0])
    assert found["seeds"].tolist() == [3, 3, 1, 1]
    assert found["intervention"].tolist() == ["noise", "noise", "none", "none"]


def test_what_is_unknown_under_one_seed_is_unknown():
    rows = draws({"a": [1, np.nan], "b": [1, 0]})
    found = mean_over_seeds(rows, KEY, ["correct", "kl"])
    assert np.isnan(found["kl"].iloc[0])
    assert found["kl"].iloc[1] == 0.5


def test_with_one_seed_the_test_is_mcnemars():
    rng = np.random.default_rng(0)
    for n in (1, 5, 40, 300):
        treated, baseline = rng.random(n) < 0.6, rng.random(n) < 0.7
        assert sign_flip(treated, baseline, 1) == pytest.approx(mcnemar(treated, baseline))


def test_with_several_it_is_the_share_of_signs_that_give_as_much():
    treated = np.array([1, 1, 2, 0, 3, 1]) / 3
    baseline = np.array([1, 0, 1, 1, 0, 1])
    difference = treated - baseline
    signs = np.array(list(itertools.product((-1, 1), repeat=len(difference))))
    sums = np.abs(signs @ difference)
    expected = (sums >= abs(difference.sum()) - 1e-9).mean()
    assert sign_flip(treated, baseline, 3) == pytest.approx(expected)
    assert sign_flip(baseline, baseline, 3) == 1


def test_labels_under_all_seeds_are_kept():
    rows = pd.DataFrame({"example": ["a", "b", "a", "b"], "correct": [1, 0, 0, 0]})
    rows["cluster"] = [["scan", "donor x"], ["donor y"], ["scan", "donor z"], []]
    found = mean_over_seeds(rows, ["example"], ["correct"])
    assert found["cluster"].tolist() == [["scan", "donor x", "donor z"], ["donor y"]]
    assert found["correct"].tolist() == [0.5, 0]

"""Cosines and ranks against their definitions, on clouds whose answer is known."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest

from latentlab.probe.similarity import (
    RANKS,
    all_rank_values,
    in_space,
    inter_example,
    intra_example,
    rank_values,
    ranks,
    similarity_values,
    value_lines,
)


@pytest.fixture(scope="module")
def cloud():
    """Correlated vectors around a mean far from zero: (examples, steps, hidden)."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(60, 3, 5)) @ rng.normal(size=(5, 5)) + 4


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def test_the_cosine_between_examples_by_hand(cloud):
    vectors = cloud[:12, 0]
    pairs = {
        (i, j): cosine(vectors[i], vectors[j]) for i, j in itertools.combinations(range(12), 2)
    }
    mean = np.mean(list(pairs.values()))
    without = [np.mean([c for pair, c in pairs.items() if i not in pair]) for i in range(12)]
    pseudo = inter_example(vectors)
    np.testing.assert_allclose(pseudo, 12 * mean - 11 * np.array(without))
    assert pseudo.mean() == pytest.approx(mean)


def test_the_cosine_between_steps_by_hand(cloud):
    by_hand = [
        np.mean([cosine(one[a], one[b]) for a, b in ((0, 1), (0, 2), (1, 2))]) for one in cloud
    ]
    np.testing.assert_allclose(intra_example(cloud), by_hand)
    orthogonal = np.array([[[1.0, 0], [0, 2.0]], [[1.0, 1.0], [3.0, 3.0]]])
    np.testing.assert_allclose(intra_example(orthogonal), [0, 1], atol=1e-12)


def test_centring_and_whitening_do_what_they_say(cloud):
    centred = in_space(cloud, "centred")
    np.testing.assert_allclose(centred.mean(axis=(0, 1)), 0, atol=1e-12)
    whitened = in_space(cloud, "whitened").reshape(-1, 5)
    np.testing.assert_allclose(np.cov(whitened.T), np.eye(5), atol=1e-10)
    assert in_space(cloud[:1], "whitened") is None  # three vectors in five dimensions


def test_a_direction_without_variance_is_left_out_of_whitening(cloud):
    flat = np.concatenate([cloud, np.full((60, 3, 1), 7.0)], axis=-1)
    assert in_space(flat, "whitened").shape == (60, 3, 5)


def test_vectors_that_are_all_the_same_have_cosine_one_and_rank_one():
    same = np.tile(np.random.default_rng(1).normal(size=16).astype(np.float32), (500, 3, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = {(name, step): values for name, step, values in similarity_values(same)}
        directions = {(name, step): values for name, step, values in all_rank_values(same)}
    assert not any("centred" in name or "whitened" in name for name, _ in [*found, *directions])
    for name, step in found:
        if "cosine" in name:
            np.testing.assert_allclose(found[name, step], 1, rtol=1e-9)
    assert (found["change", 2] == 0).all()
    assert {step for _, step in directions} == {None, 1, 2, 3}
    for values in directions.values():
        np.testing.assert_allclose(values, 1, rtol=1e-9)


@pytest.mark.parametrize("dimensions", [1, 2, 7])
def test_a_flat_spectrum_has_as_many_directions_as_it_is_long(dimensions):
    effective, participation, rank90 = ranks(np.array([3.0] * dimensions + [0.0] * 4))
    assert effective == pytest.approx(dimensions)
    assert participation == pytest.approx(dimensions)
    assert rank90 == pytest.approx(max(1, 0.9 * dimensions))


def test_an_uneven_spectrum_by_hand():
    effective, participation, rank90 = ranks(np.array([1.0, 9.0]))
    p = np.array([0.25, 0.75])  # of the singular values 1 and 3
    assert effective == pytest.approx(np.exp(-(p * np.log(p)).sum()))
    assert participation == pytest.approx(10**2 / 82)
    assert rank90 == pytest.approx(1)


@pytest.mark.parametrize("centred", [True, False])
def test_ranks_of_vectors_are_those_of_their_singular_values(cloud, centred):
    whole = rank_values(cloud, centred, blocks=1)[0]
    flat = cloud.reshape(-1, 5)
    singular = np.linalg.svd(flat - flat.mean(0) * centred, compute_uv=False)
    np.testing.assert_allclose(whole, ranks(singular**2))


def test_the_jackknife_leaves_out_one_block_after_the_other(cloud):
    small = cloud[:8]
    pseudo = rank_values(small, centred=True, blocks=8)
    whole = rank_values(small, centred=True, blocks=1)[0]
    left = [rank_values(np.delete(small, i, axis=0), True, blocks=1)[0] for i in range(8)]
    expected = 8 * whole - 7 * np.array(left)
    np.testing.assert_allclose(np.sort(pseudo, axis=0), np.sort(expected, axis=0))


def test_more_dimensions_than_vectors_change_nothing(cloud):
    rng = np.random.default_rng(2)
    turned, _ = np.linalg.qr(rng.normal(size=(500, 5)))
    np.testing.assert_allclose(
        rank_values(cloud @ turned.T, centred=True), rank_values(cloud, centred=True), rtol=1e-6
    )


def test_an_isotropic_cloud_uses_every_dimension_and_a_line_one():
    rng = np.random.default_rng(3)
    sphere = rng.normal(size=(4000, 1, 6))
    np.testing.assert_allclose(rank_values(sphere, True).mean(0)[:2], 6, rtol=0.01)
    line = rng.normal(size=(100, 1, 1)) * np.arange(1, 5.0)
    np.testing.assert_allclose(rank_values(line, False), 1, rtol=1e-6)


def test_every_measure_is_there_once_for_each_step(cloud):
    names = [(name, step) for name, step, _ in similarity_values(cloud)]
    assert len(names) == len(set(names)) == 3 * (4 + 2 + 1) + 3 + 2
    found = {(name, step): values for name, step, values in similarity_values(cloud)}
    assert all(values.shape == (60,) for values in found.values())
    np.testing.assert_allclose(
        found["change", 2], np.linalg.norm(cloud[:, 1] - cloud[:, 0], axis=-1)
    )
    np.testing.assert_allclose(
        found["adjacent cosine, raw", 3], [cosine(one[1], one[2]) for one in cloud]
    )
    names = [(name, step) for name, step, _ in all_rank_values(cloud)]
    assert len(names) == len(set(names)) == len(RANKS) * 2 * 4


def test_lines_are_means_of_values_with_intervals():
    group = {"model": "m", "data": "d", "kind": "similarity", "place": "words", "target": "norm"}
    rows = pd.DataFrame({**group, "step": [1] * 4 + [None] * 2, "value": [1, 2, 3, 4, 7.0, 7.0]})
    lines = value_lines(rows.astype({"step": "Int64"}))
    assert lines["n"].tolist() == [4, 2]
    assert lines["value"].tolist() == [2.5, 7]
    assert lines["value_low"].iloc[0] < 2.5 < lines["value_high"].iloc[0]
    assert lines["value_low"].iloc[1] == lines["value_high"].iloc[1] == 7

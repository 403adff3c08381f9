"""How alike latents are, between examples and between steps, and how many directions they use.

A raw cosine near 1 is common to hidden states of any kind, since they share a large mean. So each
cosine is taken three times: raw, after the mean was taken off, and after whitening; and each number
stands next to that of ordinary tokens. Every measure is a column of values whose mean is the
estimate, so that one bootstrap serves all of them.
"""

from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np
import pandas as pd
from jaxtyping import Float

from latentlab.measures.statistics import N_RESAMPLES, bootstrap_interval

Space = Literal["raw", "centred", "whitened"]
Vectors = Float[np.ndarray, "examples steps hidden"]
Values = Float[np.ndarray, " values"]

RANKS = ("effective rank", "participation ratio", "rank90")
"""Measures of how many directions a set of vectors uses, in the order of `ranks`."""

BLOCKS = 20
"""Parts of the examples that the jackknife of a rank leaves out in turn."""

RESAMPLED = 4_000_000
"""Values that the resamples of one interval may draw in all; among hundreds of intervals over many
examples each gets by with fewer resamples."""

GROUP = ["model", "data", "kind", "place", "step", "target"]
"""Columns that name a line."""

_NOISE = 1e-6  # deviations below this share of the norm are rounding in single precision


def in_space(vectors: Vectors, space: Space) -> Vectors | None:
    """Vectors as they are, minus their mean, or with identity covariance.

    Mean and covariance are over examples and steps together. Directions in which nothing but
    rounding varies are left out of the whitened vectors.

    Returns:
        The vectors, or None where the space does not exist: nothing varies, or (whitened) there are
        no more vectors than dimensions, which makes any set of vectors orthogonal.
    """
    if space == "raw":
        return vectors
    flat = vectors.reshape(-1, vectors.shape[-1])
    flat = flat - flat.mean(axis=0)
    scale = np.linalg.norm(vectors, axis=-1).mean()
    if np.linalg.norm(flat, axis=-1).max() <= _NOISE * scale:
        return None
    if space == "whitened":
        if len(flat) <= flat.shape[1]:
            return None
        power, axes = np.linalg.eigh(flat.T @ flat / (len(flat) - 1))
        kept = power > max(power[-1] * len(power) * np.finfo(np.float32).eps, (_NOISE * scale) ** 2)
        flat = flat @ (axes[:, kept] / np.sqrt(power[kept]))
    moved: Vectors = flat.reshape(*vectors.shape[:2], -1)
    return moved


def inter_example(vectors: Float[np.ndarray, "examples hidden"]) -> Values:
    """Cosine between examples, as pseudo-values of the jackknife (Tukey, 1958).

    A pair of examples shares each of its members with all their other pairs, so cosines of pairs
    are not independent. Pseudo-values have the mean cosine over all pairs as their mean, and their
    spread gives its error.

    Args:
        vectors: one vector for each of at least three examples, none of them zero.
    """
    unit = _unit(vectors)
    n = len(unit)
    cosines = (unit @ unit.sum(axis=0) - 1) / (n - 1)  # of each example, to all others
    mean = cosines.mean()
    without = (n * mean - 2 * cosines) / (n - 2)  # mean over the pairs that leave it out
    pseudo: Values = n * mean - (n - 1) * without
    return pseudo


def intra_example(vectors: Vectors) -> Values:
    """Mean cosine between the steps of each example, over all pairs of at least two steps."""
    unit = _unit(vectors)
    steps = unit.shape[1]
    total = (unit.sum(axis=1) ** 2).sum(axis=-1)
    cosines: Values = (total - steps) / (steps * (steps - 1))
    return cosines


def ranks(spectrum: Float[np.ndarray, " directions"]) -> Float[np.ndarray, " 3"]:
    """How many directions a spectrum spreads over, by the three measures of `RANKS`.

    With l the squared singular values and p = sqrt(l) / sum sqrt(l): exp(-sum p log p) (Roy and
    Vetterli, 2007), (sum l)^2 / sum l^2, and the number of largest l that make up 90 % of their
    sum, interpolated.

    Args:
        spectrum: squared singular values in any order, not all zero.
    """
    power = np.sort(spectrum[spectrum > 0])[::-1]
    p = np.sqrt(power) / np.sqrt(power).sum()
    share = np.concatenate([[0], np.cumsum(power) / power.sum()])
    # A single direction is one, however large a share of it would do.
    rank90 = max(1.0, float(np.interp(0.9, share, np.arange(len(share)))))
    return np.array([np.exp(-(p * np.log(p)).sum()), power.sum() ** 2 / (power**2).sum(), rank90])


def rank_values(
    vectors: Vectors, centred: bool, blocks: int = BLOCKS, seed: int = 0
) -> Float[np.ndarray, "values 3"] | None:
    """The ranks of a set of vectors, as pseudo-values of a jackknife over blocks of examples.

    Args:
        vectors: those of one step, or of several counted together.
        centred: whether the mean is taken off. Uncentred, vectors that are all the same have rank
            1; centred they have none.
        blocks: how many blocks, at most one for each example.
        seed: seed of the blocks.

    Returns:
        Values whose mean is the estimate, its bias of order 1/n removed; None where nothing varies.
    """
    n, steps, hidden = vectors.shape
    if centred and in_space(vectors, "centred") is None:
        return None
    flat = vectors.reshape(-1, hidden)
    if hidden > len(flat):  # the same angles and lengths in as many dimensions as there are vectors
        flat = np.transpose(np.linalg.qr(flat.T, mode="r"))
    blocks = min(blocks, n)
    block = np.random.default_rng(seed).permutation(n) % blocks
    parts = [flat[np.repeat(block, steps) == number] for number in range(blocks)]
    moments = np.stack([part.T @ part for part in parts])
    sums = np.stack([part.sum(axis=0) for part in parts])
    counts = np.array([len(part) for part in parts])

    def measure(moment: np.ndarray, total: np.ndarray, count: int) -> np.ndarray:
        floor = np.trace(moment) * len(moment) * np.finfo(np.float64).eps
        if centred:
            moment = moment - np.outer(total, total) / count
        power = np.linalg.eigvalsh(moment)
        return ranks(np.where(power > floor, power, 0))

    whole = measure(moments.sum(axis=0), sums.sum(axis=0), int(counts.sum()))
    if blocks == 1:
        return whole[None]
    left = np.stack(
        [
            measure(moments.sum(axis=0) - m, sums.sum(axis=0) - s, int(counts.sum() - c))
            for m, s, c in zip(moments, sums, counts, strict=True)
        ]
    )
    pseudo: np.ndarray = blocks * whole - (blocks - 1) * left
    return pseudo


def similarity_values(vectors: Vectors) -> Iterator[tuple[str, int | None, Values]]:
    """Every similarity of the latents of some examples, or of anything laid out like them.

    Args:
        vectors: one vector per example and step.

    Yields:
        The measure, the step from 1 (None for all together), and a value for each example:

        - `inter-example cosine, SPACE`: same step, different examples;
        - `intra-example cosine, SPACE`: same example, different steps;
        - `adjacent cosine, SPACE`: same example, this step and the one before;
        - `norm`, and `change`, the norm of the difference from the step before.

        What does not exist (see `in_space`) is left out.
    """
    vectors = vectors.astype(np.float64)
    steps = vectors.shape[1]
    for space in get_args(Space):
        moved = in_space(vectors, space)
        if moved is None or not np.linalg.norm(moved, axis=-1).all():
            continue
        if len(moved) > 2:
            inter = [inter_example(moved[:, step]) for step in range(steps)]
            yield f"inter-example cosine, {space}", None, np.mean(inter, axis=0)
            for step in range(steps):
                yield f"inter-example cosine, {space}", step + 1, inter[step]
        for step in range(1, steps):
            pair = moved[:, step - 1 : step + 1]
            yield f"adjacent cosine, {space}", step + 1, intra_example(pair)
        if steps > 1:
            yield f"intra-example cosine, {space}", None, intra_example(moved)
    for step in range(steps):
        yield "norm", step + 1, np.linalg.norm(vectors[:, step], axis=-1)
        if step:
            change = vectors[:, step] - vectors[:, step - 1]
            yield "change", step + 1, np.linalg.norm(change, axis=-1)


def all_rank_values(vectors: Vectors, seed: int = 0) -> Iterator[tuple[str, int | None, Values]]:
    """Every rank of the latents of some examples: by step, and of all steps together.

    Yields:
        The measure and its space, the step from 1 (None for all together), and pseudo-values.
    """
    vectors = vectors.astype(np.float64)
    steps = vectors.shape[1]
    groups: list[tuple[int | None, Vectors]] = [
        (step + 1, vectors[:, step : step + 1]) for step in range(steps)
    ]
    for step, group in [*groups, (None, vectors)]:
        for space in ("raw", "centred"):
            values = rank_values(group, space == "centred", seed=seed)
            if values is not None:
                for name, column in zip(RANKS, values.T, strict=True):
                    yield f"{name}, {space}", step, column


def value_lines(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """One line per model, place, step and measure: the mean with its bootstrap interval.

    Args:
        rows: rows with the columns `GROUP` and `value`.
        seed: seed of the bootstrap.
    """
    lines = []
    for group, of_group in rows.groupby(GROUP, sort=False, dropna=False):
        values = of_group["value"].to_numpy()
        resamples = min(N_RESAMPLES, RESAMPLED // len(values))
        found = bootstrap_interval(values, resamples, seed)
        line: dict[str, object] = dict(zip(GROUP, group, strict=True))
        lines.append(line | {"n": found.n, **found.columns()})
    return pd.DataFrame(lines)


def _unit(vectors: np.ndarray) -> np.ndarray:
    unit: np.ndarray = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return unit

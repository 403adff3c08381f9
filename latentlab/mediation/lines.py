"""The numbers of one line of a mediation summary, each computed once for the values it rests on.

Lines have values in common: one total effect goes with every mediator, and where a model has but
one part, that part and both together are the same. A summary has thousands of lines, so that what
is alike is looked up.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from latentlab.measures.clusters import Stratified
from latentlab.measures.repeated import drawn_interval
from latentlab.measures.statistics import Interval, bootstrap_interval, columns_of, smallest_effect
from latentlab.mediation.effects import EFFECTS, SHARED, mediated_share, reading

DISTANCES = ("cosine", "centred", "sd", "kept", "jaccard")
"""Columns of how far latents moved (`mediation.distance`)."""


@dataclass(frozen=True)
class LineExamples:
    """The examples of a line, as far as intervals go by them."""

    labels: tuple[tuple[str, ...], ...]
    """What each shares with others (`measures.clusters`)."""

    domains: tuple[str, ...]
    """Domain of each."""


def effect_line(
    values: Float[ndarray, "example effect"],
    answers: bool,
    deleted: bool,
    seed: int,
    examples: LineExamples,
) -> dict[str, object]:
    """What a line says of effects.

    Args:
        values: `EFFECTS` of each example.
        answers: whether the outcome is 0 or 1.
        deleted: whether the perturbation takes evidence away.
        seed: seed of the bootstrap.
        examples: whose values they are.
    """
    line: dict[str, object] = {}
    columns = dict(zip(EFFECTS, (column.tobytes() for column in values.T), strict=True))
    for name, column in columns.items():
        counted = answers and name != "interaction"  # which is a difference of two changes
        interval, smallest = _effect(column, counted, seed, examples)
        line |= columns_of(name, interval) | {f"{name}_smallest": smallest}
    shares: dict[str, Interval | None] = {}
    for name in SHARED:
        shares[name], note = _share(columns[name], columns["te"], seed, examples)
        line |= columns_of(f"{name}_share", shares[name]) | {"share_note": note}
    return {**line, "reading": reading(shares["nie"], shares["tie"]) if deleted else ""}


def movement_line(
    values: Float[ndarray, "example distance"], seed: int, examples: LineExamples
) -> dict[str, object]:
    """What a line says of distances, `DISTANCES` of each example; missing where any is."""
    line: dict[str, object] = {}
    for name, column in zip(DISTANCES, values.T, strict=True):
        whole = not np.isnan(column).any()
        line |= columns_of(name, _mean(column.tobytes(), seed, examples) if whole else None)
    return line


@lru_cache(maxsize=32)
def _clusters(examples: LineExamples) -> Stratified | None:
    return Stratified(examples.labels, examples.domains) if any(examples.labels) else None


@lru_cache(maxsize=1024)
def _effect(
    column: bytes, counted: bool, seed: int, examples: LineExamples
) -> tuple[Interval, float]:
    """The mean of an effect and the smallest that would show."""
    values, clusters = np.frombuffer(column), _clusters(examples)
    interval: Callable[..., Interval] = drawn_interval if counted else bootstrap_interval
    found = interval(values, seed=seed, clusters=clusters)
    return found, smallest_effect(values, clusters, answers=counted)


@lru_cache(maxsize=1024)
def _share(
    part: bytes, total: bytes, seed: int, examples: LineExamples
) -> tuple[Interval | None, str]:
    """The share of an effect, or why there is none."""
    return mediated_share(np.frombuffer(part), np.frombuffer(total), seed, _clusters(examples))


@lru_cache(maxsize=1024)
def _mean(column: bytes, seed: int, examples: LineExamples) -> Interval:
    return bootstrap_interval(np.frombuffer(column), seed=seed, clusters=_clusters(examples))

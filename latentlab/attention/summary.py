"""From attention rows to lines: each measure with its interval, and beside it what is expected.

A line's `null` is what the same measure reads where nothing is looked at in particular: attention
that is uniform over the keys, picks at random, background of the same area. Some lines are
differences, paired by example: a step against the model's first, re-inserted patches against random
ones, empty slots or none, and a latent step against the same step in explicit mode.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from latentlab.attention.ratios import BUCKETS, IMAGE_KEYS, TEXT_KEYS
from latentlab.measures.changes import accuracy_difference
from latentlab.measures.statistics import (
    Interval,
    accuracy_interval,
    bootstrap_interval,
    paired_difference,
)
from latentlab.measures.summary import ALL
from latentlab.vocabulary import LATENT_PARTS, VisionRun

RUN = ["model", "data", "mode"]
READING = [*RUN, "step", "query", "layers", "heads"]

AFTER = "positions after the last latent"
"""The query of the answer-to-latent readout."""

FIRST_STEP = "step 1"
"""What a difference along the steps is taken against."""

RANDOM_PICKS = "random picks"
"""The control of a model that picks its patches: as many are re-inserted, drawn at random."""

CONTROLS: dict[VisionRun, str] = {
    "random": RANDOM_PICKS,
    "kept": "slots empty",
    "held": "no slots, positions held",
    "closed": "no slots, positions closed",
    "packed": "slots without positions",
}
"""What a mode is called where something is done to the re-inserted patches, after a comma."""

RIGHT, WRONG = "right", "wrong"
"""The two kinds of answers that lines are divided by; right by the likelihood of the options."""

Floats = npt.NDArray[np.float64]


def is_control(mode: str) -> bool:
    """Whether a mode is that of a control."""
    return mode.partition(", ")[2] in CONTROLS.values()


@dataclass(frozen=True)
class Quantity:
    """One number of a row, and where its null is found."""

    name: str
    """What is measured."""

    keys: str
    """On which keys, patches or cells."""

    column: str
    """Column of the rows."""

    null: str | float
    """Column of the null, or the null itself."""

    binary: bool = False
    """Whether rows hold hits and misses."""


def _measures() -> Iterator[Quantity]:
    for image in IMAGE_KEYS:
        for text in TEXT_KEYS:
            pair = f"{image}/{text}"
            yield Quantity("ratio", pair, f"ratio:{pair}", f"uniform_ratio:{pair}")
            yield Quantity("log_ratio", pair, f"log_ratio:{pair}", f"log_uniform_ratio:{pair}")
            yield Quantity("ratio_per_token", pair, f"ratio_per_token:{pair}", 1.0)
        yield Quantity("focus", image, f"focus:{image}", f"uniform_focus:{image}")
        yield Quantity("entropy", image, f"entropy:{image}", 1.0)
    for bucket in BUCKETS:
        yield Quantity("mass", bucket, f"visible_mass:{bucket}", f"share:{bucket}")
    for cell in ("read", "target"):
        yield Quantity("cell_mass", cell, f"mass_{cell}", f"background_{cell}")
        yield Quantity("enrichment", cell, f"enrichment_{cell}", 1.0)
        for name in ("points_at", "random_at", "bottom_at"):
            yield Quantity(name, cell, f"{name}_{cell}", "chance", binary=True)
        yield Quantity("picked", cell, f"picked_{cell}", "picked_chance", binary=True)
    for part in LATENT_PARTS:
        yield Quantity("answer_mass", part, f"answer_mass:{part}", f"answer_uniform:{part}")
        yield Quantity("answer_gradient", part, f"answer_gradient:{part}", 0.0)
        yield Quantity("answer_share", part, f"answer_share:{part}", f"answer_uniform:{part}")
    yield Quantity("reward", "latent", "reward", "answer_uniform:latent")


MEASURES = tuple(_measures())


def summary_of(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Summarise attention rows.

    Args:
        rows: rows of `looking.rows_of`, of any number of models.
        seed: seed of the bootstrap.

    Returns:
        One line per model, step, reduction, group of examples and measure:

        - `model, data, mode, step, query, layers, heads`;
        - `domain`, `answered`: the group; `all`, one domain, or the answers that are `right` or
          `wrong` by the likelihood of the options;
        - `against`: empty, or what the line is a difference from: `step 1`, a control of
          `CONTROLS`, or the name of a model that reasons in words;
        - `measure`, `keys` (docs/attention.md);
        - `n`, `value`, `value_low`, `value_high`: examples that have the number, their mean and its
          interval: for hits and misses the score interval, else the bootstrap's. A measure that
          no example has gets no line;
        - `null`: the mean over the same examples of what is expected of indifferent attention.
    """
    derived = pd.DataFrame(_derived(rows))
    return pd.DataFrame(_lines(pd.concat([rows, derived], axis=1), seed))


def _derived(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Columns that follow from those of the rows."""
    found: dict[str, pd.Series] = {}
    for name in BUCKETS:
        counts = rows[f"n:{name}"]
        found[f"share:{name}"] = counts / rows["keys"]
        found[f"visible_mass:{name}"] = rows[f"mass:{name}"].where(counts > 0)
    for image in IMAGE_KEYS:
        for text in TEXT_KEYS:
            for name in (f"ratio:{image}/{text}", f"uniform_ratio:{image}/{text}"):
                found[f"log_{name}"] = np.log(rows[name].where(rows[name] > 0))
    return found


def _lines(rows: pd.DataFrame, seed: int) -> Iterator[dict[str, object]]:
    groups = {key: group.set_index("example") for key, group in rows.groupby(READING, sort=False)}
    explicit = list(rows.loc[rows["mode"] == "explicit", "model"].unique())
    for key, group in groups.items():
        head: dict[str, Any] = dict(zip(READING, key, strict=True))
        for where, part in _divided(group):
            for line in _means(part, seed):
                yield {**head, **where, "against": "", **line}
        whole = {"domain": ALL, "answered": ALL}
        references: dict[str, dict[str, Any]] = {}
        if head["step"] > 1:
            references[FIRST_STEP] = {"step": 1}
        if head["mode"] in ("latent", "explicit"):
            references |= {name: {"mode": f"{head['mode']}, {name}"} for name in CONTROLS.values()}
        if head["mode"] == "latent":
            references |= {str(name): {"model": name, "mode": "explicit"} for name in explicit}
        for against, changes in references.items():
            for line in _differences(group, _find(groups, head | changes), seed):
                yield {**head, **whole, "against": against, **line}


def _find(groups: dict[tuple[Any, ...], pd.DataFrame], head: dict[str, Any]) -> pd.DataFrame | None:
    """The group of a reading, whatever its query is called."""
    wanted = [name for name in READING if name != "query"]
    for key, group in groups.items():
        other = dict(zip(READING, key, strict=True))
        if all(other[name] == head[name] for name in wanted):
            return group
    return None


def _divided(group: pd.DataFrame) -> Iterator[tuple[dict[str, str], pd.DataFrame]]:
    """All examples, those of each domain, and those answered right or wrong."""
    yield {"domain": ALL, "answered": ALL}, group
    for domain, part in group.groupby("domain"):
        if domain:
            yield {"domain": str(domain), "answered": ALL}, part
    for answered, value in ((RIGHT, True), (WRONG, False)):
        part = group[(group["correct_likelihood"] == value).fillna(False).astype(bool)]
        if len(part):
            yield {"domain": ALL, "answered": answered}, part


def _means(group: pd.DataFrame, seed: int) -> Iterator[dict[str, object]]:
    for measure in _present(group):
        values, nulls = _values(group, measure)
        known = np.isfinite(values)
        if known.any():
            sample = values[known]
            interval = (
                accuracy_interval(sample)
                if measure.binary
                else bootstrap_interval(sample, seed=seed)
            )
            yield _line(measure, interval, nulls[known])


def _differences(
    group: pd.DataFrame, reference: pd.DataFrame | None, seed: int
) -> Iterator[dict[str, object]]:
    if reference is None:
        return
    both = group.index.intersection(reference.index)
    group, reference = group.loc[both], reference.loc[both]
    for measure in _present(group):
        values, nulls = _values(group, measure)
        others, other_nulls = _values(reference, measure)
        known = np.isfinite(values) & np.isfinite(others)
        if known.any():
            after, before = values[known], others[known]
            interval = (
                accuracy_difference(after, before)
                if measure.binary
                else paired_difference(after, before, seed=seed)
            )
            yield _line(measure, interval, (nulls - other_nulls)[known])


def _present(group: pd.DataFrame) -> list[Quantity]:
    """Measures that the rows have; those of steps and those of the answer can be apart."""
    return [measure for measure in MEASURES if measure.column in group]


def _values(group: pd.DataFrame, measure: Quantity) -> tuple[Floats, Floats]:
    """A measure's values and nulls, missing where either is."""
    values = group[measure.column].to_numpy(float, na_value=np.nan)
    if isinstance(measure.null, float):
        return values, np.full(len(group), measure.null)
    return values, group[measure.null].to_numpy(float, na_value=np.nan)


def _line(measure: Quantity, interval: Interval, nulls: Floats) -> dict[str, object]:
    return {
        "measure": measure.name,
        "keys": measure.keys,
        "n": interval.n,
        **interval.columns(),
        "null": float(nulls.mean()),
    }

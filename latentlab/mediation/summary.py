"""From rows of a mediation study to the lines of its tables and figures.

Effects through one hop are lines of their own, and those of different kinds are never put together:
the first hop is read while the first latent is made, before any patch is re-inserted, and the last
one when all latents are there, so that it can go past them.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from latentlab.measures.clusters import clusters_of
from latentlab.measures.repeated import drawn_interval
from latentlab.measures.statistics import Interval, bootstrap_interval, smallest_effect
from latentlab.measures.summary import ALL
from latentlab.mediation.effects import ANSWERS, EFFECTS, SHARED, mediated_share, reading
from latentlab.vocabulary import DELETIONS

EFFECT, MOVEMENT = "effect", "movement"
"""Values of the column `measure`: input -> answer through latents or past them, input -> latent."""

DISTANCES = ("cosine", "centred", "sd", "kept", "jaccard")
"""Columns of how far latents moved (`mediation.distance`)."""

FIRST, BETWEEN, LAST = "first", "between", "last"
"""Hops of a summary beside single ones, by their place in the question; an only hop is the last."""

_GROUP = [
    *("model", "data", "measure", "perturbation", "hop"),
    *("mediator", "part", "steps", "outcome"),
]
_ENDS = {"": "mean", "_low": "low", "_high": "high"}


def summary_of(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """One line for each model, perturbation, hop, mediator, part, steps, outcome and domain.

    Args:
        rows: rows of `mediating.rows_of`.
        seed: seed of the bootstrap.

    Returns:
        Lines over all domains (`all`) and each of them, with `n` and, each with `_low` and `_high`:

        - where `measure` is `effect`: means of the effects, each with `_smallest`, the least one
          that so many examples would tell from 0 with 80 % power; `nie_share`, `tie_share` and
          `interaction_share`, their means over the mean TE, with paired bootstrap intervals;
          `share_note`, why shares are missing; and, of a deletion, its `reading`;
        - where it is `movement`: means of the distances.

        `hop` is text: a single hop, and for effects also `first`, `between` and `last`, by its
        place in the question. A question counts once, with its mean over hops of one place.
    """
    return pd.DataFrame(_lines(_with_hops(rows), seed))


def single_hops(lines: pd.DataFrame) -> pd.DataFrame:
    """Lines of a summary that are of one hop or of none.

    Returns:
        The lines, with the `label` of each: its perturbation and, where there is one, its hop.
    """
    lines = lines[~lines["hop"].isin([FIRST, BETWEEN, LAST])]
    hops = lines["hop"].astype(object).fillna("").astype(str)
    return lines.assign(label=lines["perturbation"] + (" hop " + hops).where(hops != "", ""))


def _with_hops(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with `hop` as text, and effects of hops once more by their place in the question."""
    single = rows.assign(hop=rows["hop"].astype("string").fillna(""))
    placed = rows[(rows["measure"] == EFFECT) & rows["hop"].notna()]
    last = (placed["hop"] == placed["hops"]).to_numpy(bool)
    first = (placed["hop"] == 1).to_numpy(bool)
    placed = placed.assign(hop=np.select([last, first], [LAST, FIRST], BETWEEN))
    keys = [*_GROUP, "example", "domain"]
    named = placed.groupby(keys, sort=False, dropna=False)
    first_of = {"cluster": "first"} if "cluster" in placed else {}
    means = named.agg({**dict.fromkeys(EFFECTS, "mean"), **first_of}).reset_index()
    return pd.concat([single, means], ignore_index=True)


def _lines(rows: pd.DataFrame, seed: int) -> Iterator[dict[str, object]]:
    for values, group in rows.groupby(_GROUP, sort=False):
        head: dict[str, object] = dict(zip(_GROUP, values, strict=True))
        measure = _effect_line if head["measure"] == EFFECT else _movement_line
        yield {**head, "domain": ALL, "n": len(group), **measure(group, seed)}
        domains = [name for name in group["domain"].unique() if name]
        for domain in sorted(domains):
            part = group[group["domain"] == domain]
            yield {**head, "domain": domain, "n": len(part), **measure(part, seed)}


def _effect_line(group: pd.DataFrame, seed: int) -> dict[str, object]:
    line: dict[str, object] = {}
    clusters = clusters_of(group)
    answers = group["outcome"].iloc[0] in ANSWERS
    for name in EFFECTS:
        values = group[name].to_numpy(float)
        counted = answers and name != "interaction"  # which is a difference of two changes
        interval = drawn_interval if counted else bootstrap_interval
        line |= _ends(name, interval(values, seed=seed, clusters=clusters))
        line[f"{name}_smallest"] = smallest_effect(values, clusters, answers=counted)
    total = group["te"].to_numpy(float)
    shares: dict[str, Interval | None] = {}
    for name in SHARED:
        shares[name], note = mediated_share(group[name].to_numpy(float), total, seed, clusters)
        line |= _ends(f"{name}_share", shares[name]) | {"share_note": note}
    deleted = group["perturbation"].iloc[0] in DELETIONS
    return {**line, "reading": reading(shares["nie"], shares["tie"]) if deleted else ""}


def _movement_line(group: pd.DataFrame, seed: int) -> dict[str, object]:
    line: dict[str, object] = {}
    clusters = clusters_of(group)
    for name in DISTANCES:
        values = group[name].to_numpy(float)
        whole = not np.isnan(values).any()
        known = bootstrap_interval(values, seed=seed, clusters=clusters) if whole else None
        line |= _ends(name, known)
    return line


def _ends(name: str, interval: Interval | None) -> dict[str, float]:
    """An estimate and its interval as columns."""
    return {
        f"{name}{end}": float("nan") if interval is None else getattr(interval, field)
        for end, field in _ENDS.items()
    }

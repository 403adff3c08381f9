"""How much of what separates two runs an intervention brings back, cell by cell.

With L the logit difference between the clean and the corrupt answer, the recovery of a patch is

    (L(patched) - L(corrupt)) / (L(clean) - L(corrupt)),

a ratio of means over examples: 1 where the answer is the clean run's and 0 where it is the corrupt
run's (Heimersheim and Nanda, 2024, arXiv 2404.15255, section 4). A ratio of each example's own
would be ruled by those whose two runs hardly differ.
"""

from typing import get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from latentlab.measures.changes import accuracy_difference
from latentlab.measures.clusters import Clusters, clusters_of
from latentlab.measures.significance import holm, mcnemar
from latentlab.measures.statistics import (
    Interval,
    accuracy_interval,
    paired_difference,
    ratio_interval,
    smallest_effect,
)
from latentlab.patch.cells import SHAM
from latentlab.patch.readout import NOWHERE
from latentlab.vocabulary import PatchMode

MODES: tuple[PatchMode, ...] = get_args(PatchMode)
"""Modes in which an activation is patched; in others attention is knocked out."""

_DIFFERENCES = ["clean", "corrupt", "patched"]

CELL = ["model", "data", "mode", "kind", "component", "layer", "layers", "head", "slot"]
"""Columns that tell interventions apart."""

FACTS = ["control_of", *NOWHERE]
"""Further columns that are the same for all rows of one intervention."""


def recovery_interval(
    patched: npt.ArrayLike,
    clean: npt.ArrayLike,
    corrupt: npt.ArrayLike,
    seed: int = 0,
    clusters: Clusters | None = None,
) -> Interval | None:
    """Recovery of a patch with its paired bootstrap interval.

    Args:
        patched: (example,) logit differences in nats under the patch.
        clean: (example,) those of the clean runs.
        corrupt: (example,) those of the corrupt runs.
        seed: seed of the resampling.
        clusters: what pairs share, see `measures.clusters`; None where nothing.

    Returns:
        The ratio of means, or None where the two runs do not differ measurably, so that there is
        nothing to recover.

    Raises:
        ValueError: no examples, a missing value, or lengths that differ.
    """
    base = np.asarray(corrupt, dtype=np.float64)
    moved = np.asarray(patched, dtype=np.float64) - base
    apart = np.asarray(clean, dtype=np.float64) - base
    return ratio_interval(moved, apart, seed=seed, clusters=clusters)


def summary_of(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """One line per model, mode and cell or knock-out.

    Args:
        rows: rows of `readout.Readout`, with `model` and `data`. Where there is a column
            `cluster`, all numbers are those of clustered pairs (`measures.clusters`).
        seed: seed of the bootstrap.

    Returns:
        In the order of the rows, what was done (`model, data, mode, kind, component, layer, layers,
        head, slot`, `FACTS`) and, each with `_low` and `_high`,

        - `n`: examples;
        - `recovery`: see `recovery_interval`; of patches only, and only where the runs differ;
        - `flips`: fraction of answers that become the one of the run patched in, and were not
          before; under a knock-out those that become another one. Wilson interval;
        - `accuracy`, `delta`: under a knock-out, the fraction of right answers (Wilson) and what is
          added to it (paired score interval); `delta_smallest`, the smallest such difference that
          these examples would find with 80 % power;
        - `total_effect`, `indirect_effect`: means in nats of L(clean) - L(corrupt), and of what
          the intervention adds to L of the run it is done to (bootstrap); `_smallest` of both, as
          above and in nats, missing where nothing moved;
        - `p_mcnemar`: p-value that as many answers turn to the expected one as away from it
          (that of the run patched in; under a knock-out the right one);
        - `p_holm`: the same, adjusted for its family: all lines of the model and mode but shams,
          as many as `family` says; it is 0 for shams, which are not adjusted.
    """
    lines = pd.DataFrame(
        [
            {**dict(zip([*CELL, *FACTS], key, strict=True)), **_measure(group, seed)}
            for key, group in rows.groupby([*CELL, *FACTS], sort=False, dropna=False)
        ]
    )
    lines = lines.astype(dict.fromkeys(("layer", "layers", "head", "step", "n_positions"), "Int64"))
    tested = lines["control"] != SHAM
    families = lines[tested].groupby(["model", "data", "mode"], sort=False)["p_mcnemar"]
    adjusted = families.transform(lambda p: holm(p.to_numpy()))
    return lines.assign(
        p_holm=adjusted.reindex(lines.index).fillna(lines["p_mcnemar"]),
        family=families.transform("size").reindex(lines.index, fill_value=0),
    )


def _measure(group: pd.DataFrame, seed: int) -> dict[str, float]:
    """The numbers of one line."""
    clean, corrupt, patched = (group[name].to_numpy(float) for name in _DIFFERENCES)
    hit, before = group["hit"].to_numpy(bool), group["hit_before"].to_numpy(bool)
    mode = group["mode"].iloc[0]
    patch = mode in MODES
    own = corrupt if mode == "restore" else clean
    flips = hit & ~before if patch else group["changed"].to_numpy(bool)
    # Pairs share scans, whatever is done to them.
    shared = clusters_of(group)
    found: dict[str, Interval | None] = {
        "recovery": recovery_interval(patched, clean, corrupt, seed, shared) if patch else None,
        "flips": accuracy_interval(flips, shared),
        "accuracy": None if patch else accuracy_interval(hit, shared),
        "delta": None if patch else accuracy_difference(hit, before, shared),
        "total_effect": paired_difference(clean, corrupt, seed=seed, clusters=shared),
        "indirect_effect": paired_difference(patched, own, seed=seed, clusters=shared),
    }
    lost = hit.astype(float) - before
    return {
        "n": len(group),
        **{name: end for one, ends in found.items() for name, end in _columns(one, ends).items()},
        "delta_smallest": np.nan if patch else smallest_effect(lost, shared),
        "total_effect_smallest": smallest_effect(clean - corrupt, shared, answers=False),
        "indirect_effect_smallest": smallest_effect(patched - own, shared, answers=False),
        "p_mcnemar": mcnemar(hit, before, shared),
    }


def _columns(name: str, interval: Interval | None) -> dict[str, float]:
    """An estimate and its interval as three columns, missing where there is none."""
    ends = {name: "mean", f"{name}_low": "low", f"{name}_high": "high"}
    return {
        column: getattr(interval, end) if interval is not None else float("nan")
        for column, end in ends.items()
    }

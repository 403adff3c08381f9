"""Lines about what was read off latents, and about what made the answer's logit.

Rows come from `lens.rows.rows_of`. Targets and controls get lines of the same kind, so that each
number stands next to what the same reading says about something it should not know.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from latentlab.measures.clusters import clusters_of
from latentlab.measures.statistics import (
    Interval,
    accuracy_interval,
    bootstrap_interval,
    smallest_effect,
)
from latentlab.measures.summary import ALL

ATTRIBUTION = "attribution"
"""Measure of the rows that hold parts of a logit; all other measures are readings."""

_RUN = ["model", "data", "measure"]
_EXAMPLE = ["model", "data", "example"]
_PLACE = ["step", "slot", "layer"]
_PART = ["component", "layer", "source", "step"]
_ASKED = ["target", "kind"]

_NUMBERS = ("top1", "logprob", "margin", "rank", "logit")
_ENDS = ("", "_low", "_high")


def summary_of(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """One line per model, measure, place or part, target and domain.

    Args:
        rows: rows of `lens.rows.rows_of`. Where there is a column `cluster`, intervals are those
            of clustered examples (`measures.clusters`).
        seed: seed of the bootstrap.

    Returns:
        Beside the columns that name the line (`domain` reads `all` in the total) and `n`, each with
        `_low` and `_high`,

        - for readings: `top1`, the fraction of examples whose first token is the target's, with its
          Wilson interval; `logprob`, `margin` (above the target's control, paired) and `rank`,
          means with bootstrap intervals;
        - for attribution: `logit` and `margin`, means with bootstrap intervals. A line without
          `layer` sums over layers, one of latents without `step` over steps as well;
        - for both: `margin_smallest`, the smallest margin that so many examples would tell from 0
          with 80 % power, missing where nothing varies.

        A column that does not apply is missing.
    """
    is_part = rows["measure"] == ATTRIBUTION
    lines = [
        *_lines(rows[~is_part], [*_RUN, *_PLACE, *_ASKED], seed),
        *_lines(_with_sums(rows[is_part]), [*_RUN, *_PART, *_ASKED], seed),
    ]
    names = [*_RUN, "domain", *_PLACE, "component", "source", *_ASKED, "n"]
    whole = dict.fromkeys(("step", "layer"), "Int64")
    numbers = [f"{name}{end}" for name in _NUMBERS for end in _ENDS] + ["margin_smallest"]
    return pd.DataFrame(lines).reindex(columns=[*names, *numbers]).astype(whole)


def _with_sums(parts: pd.DataFrame) -> pd.DataFrame:
    """The parts, with their sums over layers, and those of latents over layers and steps."""
    key = [*_RUN, "example", "domain", *_ASKED]
    shared = parts.drop_duplicates(_EXAMPLE)[[*_EXAMPLE, "cluster"]] if "cluster" in parts else None
    pairs = ["logit", "margin"]
    by_step = parts.groupby([*key, "component", "source", "step"], dropna=False, sort=False)
    # The sum of missing margins is missing.
    summed = by_step[pairs].sum(min_count=1).reset_index()
    of_steps = summed[summed["step"].notna()]
    by_source = of_steps.groupby([*key, "component", "source"], dropna=False, sort=False)
    overall = by_source[pairs].sum(min_count=1).reset_index()
    sums = pd.concat([summed, overall], ignore_index=True)
    if shared is not None:
        sums = sums.merge(shared, on=_EXAMPLE, how="left")
    return pd.concat([sums, parts[parts["layer"].notna()]], ignore_index=True)


def _lines(rows: pd.DataFrame, names: list[str], seed: int) -> Iterator[dict[str, object]]:
    """The total of each line, and then its domains where there are several."""
    several = rows["domain"].nunique() > 1
    for values, group in rows.groupby(names, dropna=False, sort=False):
        head = dict(zip(names, values, strict=True))
        yield {**head, "domain": ALL, **_measure(group, seed)}
        if several:
            for domain, part in group.groupby("domain", sort=False):
                yield {**head, "domain": domain, **_measure(part, seed)}


def _measure(group: pd.DataFrame, seed: int) -> dict[str, float]:
    """The numbers of one line; those that do not apply are left out."""
    found: dict[str, Interval] = {}
    smallest = np.nan
    if "rank" in group and (known := group[group["rank"].notna()]).size:
        found["top1"] = accuracy_interval((known["rank"] == 1).to_numpy(), clusters_of(known))
    for name in ("logprob", "margin", "rank", "logit"):
        if name in group and (known := group[group[name].notna()]).size:
            values, clusters = known[name].to_numpy(np.float64), clusters_of(known)
            found[name] = bootstrap_interval(values, seed=seed, clusters=clusters)
            if name == "margin":
                smallest = smallest_effect(values, clusters, answers=False)
    numbers = {k: v for name, one in found.items() for k, v in one.columns(name).items()}
    return {"n": group["example"].nunique(), **numbers, "margin_smallest": smallest}

"""Lines of `latentlab.mediation` as its figures need them: effects, and the shares through latents."""

from collections.abc import Mapping

import pandas as pd

from latentlab.measures.summary import ALL
from latentlab.mediation.summary import EFFECT, single_hops
from latentlab.mediation.tables import told

SHARES = {"nie_share": "pure indirect", "tie_share": "total indirect"}
"""Both shares of a total effect, and what figures call them."""

WIDEST = 1.0
"""Shares whose interval is wider rest on next to no effect and are left out."""

ENDS = ("", "_low", "_high")


def whole_effects(summary: pd.DataFrame) -> pd.DataFrame:
    """Lines of effects on the log-odds over all questions and steps, perturbation by perturbation.

    Args:
        summary: of `latentlab.mediation`.
    """
    whole = (summary["domain"] == ALL) & (summary["outcome"] == "log_odds")
    lines = single_hops(summary[whole & (summary["steps"] == ALL) & (summary["measure"] == EFFECT)])
    return lines.assign(perturbation=lines["label"])


def marks(lines: pd.DataFrame, measures: Mapping[str, str]) -> pd.DataFrame:
    """One line for each estimate: `measure`, and `value` with its ends."""
    kept = ["model", "perturbation", "hop", "mediator", "part", "n"]
    parts = []
    for name in measures:
        values = {f"value{end}": lines[f"{name}{end}"] for end in ENDS}
        parts.append(lines[kept].assign(measure=name, **values))
    return pd.concat(parts, ignore_index=True)


def shares(lines: pd.DataFrame) -> pd.DataFrame:
    """Both shares of every effect that there is; where next to nothing changes there is none."""
    named = pd.concat(told(group) for _, group in lines.groupby(["model", "label"], sort=False))
    there = marks(named, SHARES)
    wide = there["value_high"] - there["value_low"] > WIDEST
    return there[there["value"].notna() & ~wide].reset_index(drop=True)

"""How often an answer is right where the picture lacks what it needs, by what the latents hold.

What latents supply is the difference to the same slots kept empty on the same input: positions and
picture are then the same. Where slots cannot be kept empty, it is that to leaving them out.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from latentlab.measures.changes import accuracy_difference
from latentlab.measures.clusters import clusters_of
from latentlab.measures.outcomes import NONE
from latentlab.measures.statistics import accuracy_interval, smallest_effect
from latentlab.measures.summary import by_domain_and_pick

ARM = ["model", "data", "evidence", "vision_slots", "text_slots", "positions"]
"""Columns that tell arms apart."""


def evidence_lines(rows: pd.DataFrame) -> pd.DataFrame:
    """One line per model, arm and group of questions.

    Args:
        rows: rows of `ablate --mask-evidence`; those of other arms are left out.

    Returns:
        In the order of the rows the columns of `ARM`, the group (`domain`, and `needed_cell`:
        `measures.outcomes.PICKED`; each `all` unless the line is about one), `n`, and with their
        ends (`_low`, `_high`)

        - `accuracy`: fraction of right answers to the question on the whole picture, and
          `likelihood`: the same by the likelihood of the options (Wilson);
        - `delta`: what is added to the accuracy of the untouched run (paired score interval);
        - `supplied`: what is added to the accuracy of the same input with the same text and the
          slots empty; missing where they are.

        The last two have `_smallest` beside them (`measures.statistics.smallest_effect`). All
        answer for scans that questions share.
    """
    shown = rows[rows["evidence"].fillna("") != ""]
    alone = shown.loc[shown["intervention"] == NONE, ["model", "example", "correct"]]
    shown = shown.merge(alone, on=["model", "example"], suffixes=("", "_alone"))
    return pd.DataFrame(list(_lines(shown)))


def _lines(rows: pd.DataFrame) -> Iterator[dict[str, object]]:
    """The lines, the total of each before its groups."""
    for values, group in rows.groupby(ARM, sort=False):
        head: dict[str, object] = dict(zip(ARM, values, strict=True))
        empty = _emptied(rows, head)
        for domain, picked, chosen in by_domain_and_pick(group):
            correct = chosen["correct"].to_numpy(bool)
            shared = clusters_of(chosen)
            right = accuracy_interval(correct, shared)
            line = {**head, "domain": domain, "needed_cell": picked, "n": right.n}
            line |= right.columns("accuracy")
            likely = accuracy_interval(chosen["correct_likelihood"].to_numpy(bool), shared)
            line |= likely.columns("likelihood")
            line |= _difference("delta", chosen, chosen["correct_alone"])
            both = chosen.merge(empty, on="example", suffixes=("", "_empty"))
            yield line | _difference("supplied", both, both["correct_empty"])


def _emptied(rows: pd.DataFrame, head: dict[str, object]) -> pd.DataFrame:
    """The answers with the same slots empty, and kept where that is possible."""
    varied = "vision_slots" if head["vision_slots"] else "text_slots"
    held = {name: head[name] for name in ("model", "data", "evidence")}
    if varied == "vision_slots":
        held["text_slots"] = head["text_slots"]
    same = (rows[list(held)] == pd.Series(held)).all(axis=1)
    empty = rows[same & (rows[varied] == "empty")]
    if head[varied] == "empty" or empty.empty:
        return empty.loc[empty.index[:0], ["example", "correct"]]
    ways = list(dict.fromkeys(empty["positions"]))
    way = "kept" if "kept" in ways else ways[0]
    return empty.loc[empty["positions"] == way, ["example", "correct"]]


def _difference(name: str, rows: pd.DataFrame, baseline: "pd.Series[bool]") -> dict[str, float]:
    """A paired difference as columns, missing where there is nothing to compare with."""
    columns = [f"{name}{end}" for end in ("", "_low", "_high", "_smallest")]
    if rows.empty:
        return dict.fromkeys(columns, np.nan)
    after, before = rows["correct"].to_numpy(float), baseline.to_numpy(float)
    shared = clusters_of(rows)
    found = accuracy_difference(after, before, shared)
    smallest = smallest_effect(after - before, shared)
    return dict(zip(columns, (found.mean, found.low, found.high, smallest), strict=True))

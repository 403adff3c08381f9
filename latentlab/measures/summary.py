"""From rows to the lines of a table: accuracy, and what an intervention changes about it.

The effect of an intervention is always taken on the very examples it ran on, against the same
model left alone. Nothing else is ever subtracted: arms that were retrained are models of their
own and get lines of their own.
"""

from collections.abc import Iterator, Sequence

import pandas as pd

from latentlab import console
from latentlab.measures.statistics import (
    accuracy_interval,
    holm,
    mcnemar,
    paired_difference,
)

NONE = "none"
"""Name of the intervention that changes nothing; every effect is taken against it."""

ALL = "all"
"""Stands for every domain, or every topic of a domain."""

FEW = 10
"""A line that rests on fewer examples is remarked upon."""

_RUN = ["model", "data"]
_ARM = [*_RUN, "intervention", "kind"]
_PAIR = [*_RUN, "example"]


def summarise(
    rows: pd.DataFrame, by: Sequence[str] = ("domain", "topic"), seed: int = 0
) -> pd.DataFrame:
    """One line per model, intervention and group of examples.

    Args:
        rows: Tidy rows with the columns `model`, `data`, `example`, `intervention`, `kind` (free
            text, carried through), `correct` and those of `by`. `example` identifies an example
            within its data.
        by: Columns that divide the examples, from coarse to fine. There is a line for all
            examples, for each value of the first column, for each pair of values of the first
            two, and so on; a column that a line does not divide by reads `all`.
        seed: Seed of the bootstrap.

    Returns:
        In the order in which models and interventions first appear in `rows`, the columns

        - `model`, `data`, `intervention`, `kind` and those of `by`;
        - `n`: examples;
        - `accuracy`, `accuracy_low`, `accuracy_high`: fraction of right answers, Wilson interval;
        - `delta`, `delta_low`, `delta_high`: what the intervention adds to the accuracy of the
          same model on the same examples, paired bootstrap interval;
        - `p_mcnemar`: exact p-value that it adds nothing;
        - `p_holm`: the same, adjusted for all interventions on that model and group.

    Raises:
        ValueError: A column or a value is missing, there are no rows, an example counts twice, or
            one was never run without an intervention.
    """
    paired = _with_baseline(_checked(rows, by))
    lines = pd.DataFrame(_lines(paired, list(by), seed))
    treated = lines["intervention"] != NONE
    # Left alone a model is compared with itself, which tests nothing.
    lines["p_holm"] = lines["p_mcnemar"].where(~treated)
    lines.loc[treated, "p_holm"] = (
        lines[treated].groupby([*_RUN, *by])["p_mcnemar"].transform(lambda p: holm(p.to_numpy()))
    )
    few = int((lines["n"] < FEW).sum())
    if few:
        console.warn(f"{few} of {len(lines)} lines rest on fewer than {FEW} examples")
    return lines


def _checked(rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """The columns that are needed, refused where a line made of them would be wrong."""
    needed = [*_ARM, "example", *by, "correct"]
    missing = [name for name in needed if name not in rows]
    if missing:
        raise ValueError(f"rows lack the columns {', '.join(missing)}")
    if rows.empty:
        raise ValueError("there are no rows to summarise")
    kept = rows[needed]
    holes = kept.columns[kept.isna().any()]
    if len(holes):
        raise ValueError(f"rows hold missing values in {', '.join(holes)}")
    if kept.duplicated([*_PAIR, "intervention"]).any():
        raise ValueError("rows hold an example twice under one intervention of one model")
    taken = [name for name in by if (kept[name] == ALL).any()]
    if taken:
        raise ValueError(f"'{ALL}' is the name of the total and cannot be one of {taken[0]}")
    return kept.assign(correct=kept["correct"].astype(bool))


def _with_baseline(rows: pd.DataFrame) -> pd.DataFrame:
    """Each row with the column `baseline`: was this example right when the model was left alone?"""
    alone = rows.loc[rows["intervention"] == NONE, [*_PAIR, "correct"]]
    paired = rows.merge(alone.rename(columns={"correct": "baseline"}), on=_PAIR, how="left")
    unpaired = paired["baseline"].isna()
    if unpaired.any():
        model, arm = paired.loc[unpaired, ["model", "intervention"]].iloc[0]
        raise ValueError(
            f"{int(unpaired.sum())} rows have no row '{NONE}' of the same example to compare "
            f"with, the first of {model} under {arm}"
        )
    return paired.astype({"baseline": bool})


def _lines(rows: pd.DataFrame, by: list[str], seed: int) -> Iterator[dict[str, object]]:
    """The lines, arm by arm, the total of each arm before its parts."""
    for arm, of_arm in rows.groupby(_ARM, sort=False):
        head: dict[str, object] = dict(zip(_ARM, arm, strict=True))
        yield {**head, **dict.fromkeys(by, ALL), **_measure(of_arm, seed)}
        for depth in range(1, len(by) + 1):
            for values, group in of_arm.groupby(by[:depth]):
                named = dict(zip(by, values, strict=False))
                yield {**head, **dict.fromkeys(by, ALL), **named, **_measure(group, seed)}


def _measure(group: pd.DataFrame, seed: int) -> dict[str, float]:
    """The numbers of one line."""
    correct, baseline = group["correct"].to_numpy(), group["baseline"].to_numpy()
    accuracy = accuracy_interval(correct)
    delta = paired_difference(correct, baseline, seed=seed)
    return {
        "n": accuracy.n,
        "accuracy": accuracy.mean,
        "accuracy_low": accuracy.low,
        "accuracy_high": accuracy.high,
        "delta": delta.mean,
        "delta_low": delta.low,
        "delta_high": delta.high,
        "p_mcnemar": mcnemar(correct, baseline),
    }

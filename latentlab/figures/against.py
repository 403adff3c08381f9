"""What is done to a model next to its matched control, question by question.

A knock-out or a patch alone says little: as many random keys, or the same cell of an unrelated
question, may do as much. Where both were done to the same questions their difference has an
interval of its own, which the two intervals side by side do not give.
"""

from collections.abc import Sequence

import pandas as pd

from latentlab.measures.clusters import clusters_of
from latentlab.measures.statistics import Interval, paired_difference, ratio_interval

PAIR = ["model", "mode", "component", "layer", "layers", "head", "slot", "example"]
"""Columns that name one intervention on one question in rows of `latentlab.patch`."""


def with_controls(rows: pd.DataFrame, outcomes: Sequence[str]) -> pd.DataFrame:
    """Rows of what is done, with what its matched control did to the same question beside it.

    Args:
        rows: rows with the columns `PAIR` and `control_of`.
        outcomes: columns to set side by side.

    Returns:
        The rows that have a control, with the columns `{outcome}_control`.

    Raises:
        pandas.errors.MergeError: something was done to a question twice.
    """
    controls = rows.loc[rows["control_of"] != "", [*PAIR, "control_of", *outcomes]]
    controls = controls.drop(columns="slot").rename(
        columns={"control_of": "slot", **{name: f"{name}_control" for name in outcomes}}
    )
    done = rows[rows["control_of"] == ""]
    return done.merge(controls, on=PAIR, validate="one_to_one")


def accuracy_beyond(pairs: pd.DataFrame) -> Interval | None:
    """Change of accuracy that a knock-out brings beyond its control, of one line of a figure.

    Args:
        pairs: of `with_controls`, with `hit` and `patched` (the logit difference in nats).

    Returns:
        Accuracy after the knock-out minus that after the control, paired by question; None where
        both leave the very same logits, as where the plan of a model hides those keys already.
    """
    if (pairs["patched"] == pairs["patched_control"]).all():
        return None
    return paired_difference(pairs["hit"], pairs["hit_control"], clusters=clusters_of(pairs))


def recovery_beyond(pairs: pd.DataFrame) -> Interval | None:
    """Recovery of a patch minus that of its control, of one cell of a figure.

    Args:
        pairs: of `with_controls`, with `patched`, `clean` and `corrupt`, in nats.

    Returns:
        The share of the distance between the two runs, from -1 to 1 as a rule; None where the runs
        do not differ measurably.
    """
    moved = pairs["patched"] - pairs["patched_control"]
    apart = pairs["clean"] - pairs["corrupt"]
    return ratio_interval(moved, apart, clusters=clusters_of(pairs))

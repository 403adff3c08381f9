"""What an ablation found, as tables; made of the summary alone."""

from typing import TYPE_CHECKING

import pandas as pd

from latentlab import console
from latentlab.console import table
from latentlab.measures.outcomes import NONE, SHAM
from latentlab.measures.summary import totals
from latentlab.vocabulary import CONTROL, EMPTY

if TYPE_CHECKING:
    from latentlab.ablate.amounts import Line

WIDE = 120
"""Columns of a screen below which a table is cut in two."""

_MOVED = {"flip": "answers flipped, %", "log_odds_change": "log-odds of right, nats"}


def show_tables(summary: pd.DataFrame) -> None:
    """Put one table a model on the screen: every arm, and under it what goes with it.

    What removes the same stands together, whatever becomes of positions. A narrow screen gets what
    happens to accuracy first, and how answers move in a table of its own.
    """
    for model, lines in totals(summary).groupby("model", sort=False):
        shown = lines.assign(intervention=[_label(line) for _, line in lines.iterrows()])
        # Compared with itself a model says nothing.
        moved = {name: heading for name, heading in _MOVED.items() if name in shown}
        ends = [f"{name}{end}" for name in ("delta", *moved) for end in ("", "_low", "_high")]
        ends += [name for name in ("delta_smallest", "p_holm") if name in shown]
        shown.loc[lines["intervention"] == NONE, ends] = None
        data, n = lines["data"].iloc[0], lines["n"].iloc[0]
        arm = {"intervention": "knock-out at inference"}
        counted = {"accuracy": "accuracy % [95 %]", "delta": "paired difference, points"}
        counted |= {"delta_smallest": "could tell"} if "delta_smallest" in shown else {}
        moved = {"p_holm": "p (Holm)", **moved}
        wide = console.results.width >= WIDE
        for columns in [arm | counted | moved] if wide else [arm | counted, arm | moved]:
            table(
                shown,
                columns,
                f"{model}: {n} questions of {data}{_seeds(lines)}",
                percent=("accuracy", "delta", "delta_smallest", "flip"),
            )


def _label(line: "Line") -> str:
    """An arm's name in the table; what goes with another arm is set in, under it."""
    arm, positions = str(line["intervention"]), str(line["positions"])
    if positions:
        rule = EMPTY if positions == "kept" else positions
        return f"  {rule}" if line["control_of"] else f"{arm}: {rule}"
    if str(line["action"]) == SHAM:
        return f"  control: {arm}"
    return f"  control: {line['control']}" if str(line["kind"]) == CONTROL else arm


def _seeds(lines: pd.DataFrame) -> str:
    """A remark on random arms that were drawn several times."""
    most = int(lines["seeds"].max()) if "seeds" in lines else 1
    return (
        f"; what is random drawn with {most} seeds, averaged for each question" if most > 1 else ""
    )

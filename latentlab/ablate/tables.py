"""What an ablation found, as tables; made of the summary alone."""

from typing import TYPE_CHECKING

import pandas as pd

from latentlab.ablate.phrases import phrase
from latentlab.console import table
from latentlab.measures.outcomes import NONE, SHAM
from latentlab.measures.summary import totals
from latentlab.vocabulary import CONTROL
from latentlab.wording import CONTROL_LABELS, POSITIONS, data_name

if TYPE_CHECKING:
    from latentlab.ablate.amounts import Line

SPARE = ("p_holm", "log_odds_change", "flip", "delta_smallest")
"""Columns that a narrow screen does without, the first to go first; accuracy and its change stay.
p-values say least beside an interval, log-odds are for models that are at chance."""

_COLUMNS = {
    "arm": "knock-out at inference",
    "accuracy": "accuracy, %",
    "delta": "change in accuracy, points",
    "delta_smallest": "would have shown",
    "p_holm": "p (Holm)",
    "flip": "answers flipped, %",
    "log_odds_change": "change in log-odds of right, nats",
}


def show_tables(summary: pd.DataFrame) -> None:
    """Put one table a model on the screen: every arm, and under it what goes with it.

    What removes the same stands together, whatever becomes of positions.
    """
    for model, lines in totals(summary).groupby("model", sort=False):
        shown = lines.assign(arm=[_label(line) for _, line in lines.iterrows()])
        # Compared with itself a model says nothing.
        names = [name for name in _COLUMNS if name in shown and name not in ("arm", "accuracy")]
        ends = [f"{name}{end}" for name in names for end in ("", "_low", "_high")]
        untouched = lines["intervention"] == NONE
        shown.loc[untouched, [name for name in ends if name in shown]] = None
        data, n = lines["data"].iloc[0], lines["n"].iloc[0]
        table(
            shown,
            {name: heading for name, heading in _COLUMNS.items() if name in shown},
            f"{model}: {n} questions of {data_name(str(data))}{_seeds(lines)}",
            percent=("accuracy", "delta", "delta_smallest", "flip"),
            spare=SPARE,
        )


def _label(line: "Line") -> str:
    """An arm's name in the table; what goes with another arm is set in, under it."""
    arm, positions = str(line["intervention"]), str(line["positions"])
    if arm == NONE:
        return "left alone"
    if positions:
        way = POSITIONS[positions].removeprefix("with ").removeprefix("the ")
        return f"  {way}" if line["control_of"] else f"{_done(line)}:\n  {way}"
    if str(line["action"]) == SHAM:
        return "  sham: its own put back"
    if str(line["kind"]) == CONTROL:
        control = str(line["control"])
        return f"  control: {CONTROL_LABELS.get(control, control)}"
    return _done(line)


def _done(line: "Line") -> str:
    """What an arm does."""
    return phrase(line).removeprefix("with ").replace(" its ", " ")


def _seeds(lines: pd.DataFrame) -> str:
    """A remark on random arms that were drawn several times."""
    most = int(lines["seeds"].max()) if "seeds" in lines else 1
    return (
        f"; what is random drawn with {most} seeds, averaged for each question" if most > 1 else ""
    )

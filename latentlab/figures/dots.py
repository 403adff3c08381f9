"""Dot plots: values along x with their intervals, one row for each thing that was done."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from latentlab.figures.marks import draw_intervals
from latentlab.figures.style import GRID, MUTED, PAPER
from latentlab.vocabulary import PositionRule

HOLLOW = {"markerfacecolor": PAPER}
"""Look of controls: the mark of what they control, not filled."""

POSITIONS: dict[PositionRule, dict[str, Any]] = {
    "held": {},
    "closed": {"fillstyle": "left", "markerfacecoloralt": PAPER},
    "kept": HOLLOW,
}
"""Looks of a removal by what becomes of positions: filled, half filled and hollow."""

POSITION_LABELS: dict[PositionRule, str] = {
    "held": "filled: positions held",
    "closed": "half: positions closed up",
    "kept": "hollow: slots kept, empty",
}
"""What a legend says of these looks."""

_SPREAD = 0.62  # share of a row's height that its series are spread over


def draw_dots(
    axis: Axes,
    lines: pd.DataFrame,
    rows: Mapping[str, str],
    looks: Mapping[str, dict[str, Any]],
    value: str = "lost",
    scale: float = 100.0,
) -> None:
    """Draw several series row by row.

    Args:
        axis: where.
        lines: one line for each mark, with the columns `row`, `series` and those of the value.
        rows: labels of the rows from top to bottom, by what `row` says.
        looks: looks of the series by what `series` says, from top to bottom in each row.
        value: column of the value, which has `_low` and `_high` beside it.
        scale: what values are multiplied by.
    """
    order = list(rows)
    shifts = offsets(len(looks), _SPREAD)
    for shift, (series, look) in zip(shifts, looks.items(), strict=True):
        chosen = lines[(lines["series"] == series) & lines["row"].isin(order)]
        places = [order.index(row) + shift for row in chosen["row"]]
        draw_intervals(axis, places, chosen, value, scale, joined=False, upright=False, **look)
    axis.set_yticks(range(len(order)), list(rows.values()))
    axis.set_ylim(len(order) - 0.45, -0.55)
    axis.tick_params(axis="y", length=0)
    for border in np.arange(len(order) - 1) + 0.5:
        axis.axhline(border, color=GRID, linewidth=0.5, zorder=0)
    axis.axvline(0, color=MUTED, linewidth=0.6, zorder=0)


def offsets(count: int, spread: float) -> Sequence[float]:
    """Places of several marks side by side around 0."""
    return [0.0] if count == 1 else list(np.linspace(-spread / 2, spread / 2, count))

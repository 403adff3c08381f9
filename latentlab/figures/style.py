"""One look for every figure: sizes, colours and marks, and how an interval is drawn.

Series differ in colour, mark and line at once, so that a colour-blind reader can tell them apart,
and anyone on a grey print. Nothing is written inside the axes that belongs into a caption.
"""

from collections.abc import Sequence
from typing import Any, Literal

import matplotlib
import numpy as np
import pandas as pd

matplotlib.use("Agg")  # no screen is needed, on a cluster least of all
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Width = Literal["single", "double"]

WIDTHS: dict[Width, float] = {"single": 3.35, "double": 6.9}
"""Inches of one and of two columns of a conference paper."""

COLOURS = (
    "#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7",
    "#56B4E9", "#E69F00", "#882255", "#7F7F7F", "#999933", "#332288",
)  # fmt: skip
"""Okabe and Ito's palette, dark and light hues in turns, then wine, grey, olive and indigo: one for
each model of the zoo."""

MARKS = ("o", "s", "D", "^", "v", "P", "X", "<", "h", ">", "d")
LINES = (
    "-", "--", "-.", ":", (0, (5, 1)),
    (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (7, 2)), (0, (3, 1, 1, 1, 1, 1)),
    (0, (2, 2)), (0, (8, 1, 2, 1)),
)  # fmt: skip

MODEL_ORDER = (
    "ivtlr", "relay", "gaze", "bypass", "filler", "coconut", "cot", "cot_vision", "no_cot",
    "decoy", "redundant",
)  # fmt: skip
"""Models of the zoo keep their colour from figure to figure."""

SEQUENTIAL = "cividis"
"""Colour map of quantities from nothing to much."""

DIVERGING = "PuOr"
"""Colour map of quantities around zero."""

RC: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 7.5,
    "axes.labelsize": 7.5,
    "axes.titlesize": 7.5,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.5,
    "errorbar.capsize": 1.5,
    "pdf.fonttype": 42,  # embedded as TrueType, which publishers ask for
    "ps.fonttype": 42,
    "savefig.dpi": 220,
    "image.cmap": SEQUENTIAL,
}


def canvas(
    width: Width = "single",
    height: float = 2.2,
    rows: int = 1,
    columns: int = 1,
    **settings: Any,
) -> tuple[Figure, list[Axes]]:
    """A figure and its axes, row by row.

    Args:
        width: of one column or of two.
        height: inches.
        rows: rows of axes.
        columns: columns of axes.
        settings: further arguments of `plt.subplots`.
    """
    with plt.rc_context(RC):
        figure, axes = plt.subplots(
            rows,
            columns,
            figsize=(WIDTHS[width], height),
            layout="constrained",
            squeeze=False,
            **settings,
        )
    return figure, list(axes.ravel())


def look(index: int) -> dict[str, Any]:
    """Colour, mark and line of the series with this number."""
    return {
        "color": COLOURS[index % len(COLOURS)],
        "marker": MARKS[index % len(MARKS)],
        "linestyle": LINES[index % len(LINES)],
    }


def look_of(model: str, models: Sequence[str]) -> dict[str, Any]:
    """Look of a model: its own where it is of the zoo, else by its place in the figure."""
    if model in MODEL_ORDER:
        return look(MODEL_ORDER.index(model))
    return look(len(MODEL_ORDER) + list(models).index(model))


def draw_intervals(
    axis: Axes,
    places: Any,
    lines: pd.DataFrame,
    value: str,
    scale: float = 1.0,
    joined: bool = True,
    upright: bool = True,
    **looks: Any,
) -> None:
    """Draw estimates with their intervals.

    Args:
        axis: where.
        places: (line,) positions along x, or along y where values run along x.
        lines: rows with the columns `value`, `value_low` and `value_high`.
        value: which column.
        scale: what values are multiplied by, 100 for per cent.
        joined: whether a line joins the estimates.
        upright: whether values run along y.
        looks: colour, mark, line, label, size.
    """
    centre = scale * lines[value].to_numpy(float)
    low, high = (scale * lines[f"{value}_{end}"].to_numpy(float) for end in ("low", "high"))
    # An estimate may lie outside a percentile interval by a rounding error.
    spread = np.clip(np.stack([centre - low, high - centre]), 0, None)
    if not joined:
        looks["linestyle"] = "none"
    spread, places = np.nan_to_num(spread), np.asarray(places, float)
    looks.setdefault("elinewidth", 0.8)
    if upright:
        axis.errorbar(places, centre, yerr=spread, **looks)
    else:
        axis.errorbar(centre, places, xerr=spread, **looks)


def heat(
    axis: Axes,
    values: pd.DataFrame,
    low: float,
    high: float,
    cmap: str = SEQUENTIAL,
    form: str = "{:.0f}",
) -> Any:
    """Draw a grid of numbers, each written into its cell in a colour that can be read there.

    Args:
        axis: where.
        values: rows and columns as they are drawn, labels included.
        low: value at the lower end of the colours.
        high: value at the upper end.
        cmap: name of the colour map.
        form: how a number is written; an empty one writes none.

    Returns:
        The image, for a colour bar.
    """
    grid = values.to_numpy(float)
    image = axis.imshow(grid, cmap=cmap, vmin=low, vmax=high, aspect="auto")
    axis.set_xticks(range(values.shape[1]), [str(name) for name in values.columns])
    axis.set_yticks(range(values.shape[0]), [str(name) for name in values.index])
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    for (row, column), value in np.ndenumerate(grid):
        if form and np.isfinite(value):
            red, green, blue, _ = image.cmap(image.norm(value))
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
            colour = "white" if dark else "black"
            text = form.format(value)
            axis.text(column, row, text, ha="center", va="center", color=colour, fontsize=6)
    return image

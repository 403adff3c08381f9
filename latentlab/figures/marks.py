"""How estimates with intervals, and grids of numbers, are drawn."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from latentlab.console import MINUS
from latentlab.figures.style import DARK_LETTERS, LEAST_TYPE, LIGHT_LETTERS, SEQUENTIAL


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
            colour = LIGHT_LETTERS if dark else DARK_LETTERS
            text = form.format(value)
            text = text.lstrip("-") if float(text) == 0 else text.replace("-", MINUS)
            axis.text(
                column, row, text, ha="center", va="center", color=colour, fontsize=LEAST_TYPE
            )
    return image

"""Stacked bars along x: what share of questions ended how, one row for each thing that was done."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes

from latentlab.figures.style import INK

HEIGHT = 0.7  # of a bar, in rows


@dataclass(frozen=True)
class Segment:
    """Look of one outcome."""

    colour: str
    """Of its segment."""

    label: str = ""
    """What the legend calls it; its own name where empty."""

    hatch: str = ""
    """Pattern on the colour."""


def draw_bars(
    axis: Axes,
    lines: pd.DataFrame,
    rows: Mapping[str, str],
    segments: Mapping[str, Segment],
    whiskers: Collection[str] = (),
    places: Mapping[str, float] | None = None,
) -> None:
    """Stack the shares of each row, in per cent.

    Args:
        axis: where.
        lines: one line for each segment, with the columns `row`, `segment`, `share`, `share_low`
            and `share_high`.
        rows: labels of the rows from top to bottom, by what `row` says.
        segments: looks by what `segment` says, from left to right.
        whiskers: the first or the last of the segments, whose intervals are drawn at their ends.
        places: where rows lie; 0, 1, 2 and so on where it is not given.
    """
    places = places or {row: float(i) for i, row in enumerate(rows)}
    chosen = lines[lines["row"].isin(list(rows))]
    left = dict.fromkeys(rows, 0.0)
    for name, look in segments.items():
        of_segment = chosen[chosen["segment"] == name]
        at = [str(row) for row in of_segment["row"]]
        widths = [100 * float(share) for share in of_segment["share"]]
        axis.barh(
            [places[row] for row in at],
            widths,
            left=[left[row] for row in at],
            height=HEIGHT,
            color=look.colour,
            hatch=look.hatch,
            edgecolor=INK,
            linewidth=0.4,
            label=look.label or name,
        )
        for row, width in zip(at, widths, strict=True):
            left[row] += width
    for name in whiskers:
        start, sign = (0, 100) if name == next(iter(segments)) else (100, -100)
        for _, line in chosen[chosen["segment"] == name].iterrows():
            ends = [start + sign * float(line[f"share_{end}"]) for end in ("low", "high")]
            place = places[str(line["row"])]
            axis.plot(ends, [place, place], color=INK, linewidth=0.9, solid_capstyle="butt")
    axis.set_yticks([places[row] for row in rows], list(rows.values()))
    axis.tick_params(axis="y", length=0)
    last = max(places.values(), default=0)
    axis.set(xlim=(0, 100), ylim=(last + 0.6, -0.6), xticks=(0, 25, 50, 75, 100))

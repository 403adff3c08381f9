"""Names beside points: each where it covers neither another name nor another point."""

from collections.abc import Sequence
from itertools import product

from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from latentlab.figures.style import LEAST_TYPE, MUTED

_NEAR, _STEP = 5.0, 8.5
"""Points from a mark to the nearest place of its name, and between places."""

_MARK = 3.5
"""Points from the middle of a mark to its edge."""


def label_points(
    axis: Axes, places: Sequence[tuple[float, float]], names: Sequence[str], colours: Sequence[str]
) -> None:
    """Write a name beside each point, with a line to it where it stands further off.

    The figure has to be laid out when this is called; the names change nothing about that.

    Args:
        axis: where the points are drawn.
        places: (x, y) of each point, in data.
        names: what to write.
        colours: the colour of each name.
    """
    figure = axis.figure
    figure.canvas.draw()
    scale = figure.dpi / 72
    window = axis.get_window_extent()
    points = [tuple(axis.transData.transform(place)) for place in places]
    taken = [_around(x, y, _MARK * scale) for x, y in points]
    for place, (x, y), name, colour in zip(places, points, names, colours, strict=True):
        wide, high = 0.62 * LEAST_TYPE * len(name) * scale, 1.15 * LEAST_TYPE * scale
        options = []
        for side, level in product((1, -1), range(-9, 10)):
            shift = (side * (_NEAR + 2 * (abs(level) > 1)), level * _STEP)
            left = x + shift[0] * scale - (wide if side < 0 else 0)
            middle = y + shift[1] * scale
            box = Bbox.from_bounds(left, middle - high / 2, wide, high)
            inside = window.x0 <= box.x0 and box.x1 <= window.x1
            inside &= window.y0 <= box.y0 and box.y1 <= window.y1
            covered = sum(box.overlaps(other) for other in taken)
            options.append((covered + 5 * (not inside), abs(level), -side, shift, box))
        *_, side, shift, box = min(options, key=lambda option: option[:3])
        taken.append(box)
        far = abs(shift[1]) > _STEP
        written = axis.annotate(
            name,
            place,
            shift,
            textcoords="offset points",
            ha="left" if side < 0 else "right",
            va="center",
            color=colour,
            fontsize=LEAST_TYPE,
            arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 0.4} if far else None,
        )
        written.set_in_layout(False)


def _around(x: float, y: float, reach: float) -> Bbox:
    return Bbox.from_extents(x - reach, y - reach, x + reach, y + reach)

"""Names beside points: each where it covers neither another name nor a mark nor a line."""

from collections.abc import Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from latentlab.figures.style import LEAST_TYPE, MUTED

_NEAR, _STEP, _LEVELS = 5.0, 4.0, 22
"""Points from a mark to the nearest place of its name, points between places, places each way."""

_MARK, _BESIDE = 3.5, 7.0
"""Points from the middle of a mark to its edge, and within which a name seems to be its own."""

_COVERED, _OUTSIDE, _UNCLEAR = 40, 100, 6
"""What covering something, leaving the axes and standing beside another mark cost, in places."""

Place = tuple[float, float]
"""(x, y) in data."""


def label_points(
    axis: Axes,
    places: Sequence[Place],
    names: Sequence[str],
    colours: Sequence[str],
    line: Sequence[Place] = (),
) -> None:
    """Write a name beside each point, with a line to it where it stands further off.

    The figure has to be laid out when this is called; the names change nothing about that.

    Args:
        axis: where the points are drawn.
        places: the points.
        names: what to write.
        colours: the colour of each name.
        line: corners of a line along the axes that names are to leave free.
    """
    figure = axis.get_figure()
    assert figure is not None
    figure.canvas.draw()
    scale = figure.dpi / 72
    window = axis.get_window_extent()
    points = [tuple(axis.transData.transform(place)) for place in places]
    corners = [tuple(axis.transData.transform(corner)) for corner in line]
    taken = [_around(x, y, _MARK * scale) for x, y in points]
    taken += [Bbox([(min(x), min(y)), (max(x), max(y))]) for x, y in _sides(corners)]
    for i, (x, y) in enumerate(points):
        others = [_around(a, b, _BESIDE * scale) for j, (a, b) in enumerate(points) if j != i]
        wide, high = 0.62 * LEAST_TYPE * len(names[i]) * scale, 1.2 * LEAST_TYPE * scale
        options = []
        for level in range(-_LEVELS, _LEVELS + 1):
            for side in (1, -1):
                across = side * (_NEAR + 4 * (abs(level) > 1))
                left = x + across * scale - (wide if side < 0 else 0)
                box = Bbox.from_bounds(left, y + level * _STEP * scale - high / 2, wide, high)
                inside = window.x0 <= box.x0 and box.x1 <= window.x1
                inside &= window.y0 <= box.y0 and box.y1 <= window.y1
                cost = abs(level) + 0.5 * (side < 0) + _OUTSIDE * (not inside)
                cost += _COVERED * sum(box.overlaps(other) for other in taken)
                cost += _UNCLEAR * sum(box.overlaps(other) for other in others)
                options.append((cost, level, across, box))
        _, level, across, box = min(options, key=lambda option: option[:3])
        taken.append(box)
        shift = (across, level * _STEP)
        if abs(level) > 1:  # on its own, since the box of a text with a line is that of both
            joint = {"arrowstyle": "-", "color": MUTED, "linewidth": 0.4, "shrinkA": 0}
            led = axis.annotate("", places[i], shift, textcoords="offset points", arrowprops=joint)
            led.set_in_layout(False)
        axis.annotate(
            names[i],
            places[i],
            shift,
            textcoords="offset points",
            ha="left" if across > 0 else "right",
            va="center",
            color=colours[i],
            fontsize=LEAST_TYPE,
        ).set_in_layout(False)


def _around(x: float, y: float, reach: float) -> Bbox:
    return Bbox.from_extents(x - reach, y - reach, x + reach, y + reach)


def _sides(corners: Sequence[Place]) -> list[tuple[Place, Place]]:
    """The x of both ends and the y of both ends of each side of a line."""
    return [((a[0], b[0]), (a[1], b[1])) for a, b in pairwise(corners)]

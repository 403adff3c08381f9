"""One look for every figure: sizes, colours and marks.

A model has one colour and one mark wherever it is drawn (`model_style`), and nothing else is drawn
in these colours: parts of the latents and the arms of a study have hues of their own, steps a ramp
of greys. Models that share a figure differ in colour, in lightness and in mark, so that they can be
told apart on a grey print and by colour-blind readers. Paper, ink and what lies between come from
four constants, so that a page can put its own in their place in an SVG.
"""

from collections.abc import Sequence
from typing import Any, Literal

import matplotlib

matplotlib.use("Agg")  # no screen is needed, on a cluster least of all
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import hex2color, hsv_to_rgb, rgb2hex, rgb_to_hsv
from matplotlib.figure import Figure

Width = Literal["single", "double"]

COLUMN = 3.25
"""Inches of one column of a conference paper."""

PAGE = 6.75
"""Inches of both columns."""

WIDTHS: dict[Width, float] = {"single": COLUMN, "double": PAGE}

LEAST_TYPE = 7.0
"""Points of the smallest letters, at the width at which a figure is printed."""

INK = "#1f2328"
"""Letters, axes and the outlines of marks."""

MUTED = "#6e7781"
"""What is read second: lines of reference, notes."""

GRID = "#d5dae0"
"""Borders between rows and panels."""

PAPER = "#ffffff"
"""The ground, and the inside of hollow marks."""

LIGHT_LETTERS, DARK_LETTERS = "#fdfdfd", "#101214"
"""Letters on a cell or a picture, which keep their colour on any ground."""

MODELS: dict[str, tuple[str, str]] = {
    "ivtlr": ("#0f0ff0", "o"),
    "relay": ("#d24b4b", "s"),
    "gaze": ("#00690f", "^"),
    "redundant": ("#e1961e", "P"),
    "bypass": ("#a54b78", "v"),
    "decoy": ("#5a0f2d", "X"),
    "filler": ("#0f96ff", "D"),
    "coconut": ("#1e1eb4", "<"),
    "cot": ("#0fb4c3", ">"),
    "cot_vision": ("#87962d", "p"),
    "no_cot": ("#2d5a96", "*"),
    "ccot": ("#2d7869", "1"),
    "multimodal_cot": ("#0f1e3c", "x"),
    "scaffold": ("#4b1e1e", "+"),
    "chain_of_focus": ("#7869ff", "2"),
    "capimagine": ("#69d296", "3"),
}
"""Colour and mark of every model of the zoo."""

_OTHERS = tuple(
    (MODELS[name][0], mark)
    for name, mark in (("cot", "h"), ("cot_vision", "d"), ("no_cot", "8"), ("coconut", "H"))
)
"""Colours of models that rarely share a figure with a user's own, with other marks."""

MODEL_ORDER = tuple(MODELS)

PART_COLOURS = {
    "latent_text": "#ff6900",
    "latent_vision": "#4b783c",
    "latent": "#5a3c87",
}
"""Hues of the parts of the latents."""

ARM_COLOURS = ("#2d87b4", "#96005a", "#ff5a87", "#3c5ac3", "#a5a5ff")
"""Hues of what is done to a model, or of what it answers, where models are panels."""

SEQUENTIAL = "cividis"
"""Colour map of quantities from nothing to much."""

DIVERGING = "PuOr"
"""Colour map of quantities around zero."""

_PART_MARKS = {"latent_text": "s", "latent_vision": "^", "latent": "D"}
_ARM_MARKS = ("o", "s", "D", "^", "v", "P", "X")
_LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))

RC: Any = {
    "text.parse_math": False,  # names from data may hold dollars
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 7.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.facecolor": PAPER,
    "figure.facecolor": PAPER,
    "xtick.color": INK,
    "ytick.color": INK,
    "hatch.color": INK,
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
    "hatch.linewidth": 0.5,
    "axes.unicode_minus": True,
    "pdf.fonttype": 42,  # embedded as TrueType, which publishers ask for
    "ps.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "latentlab",  # names inside of a file are the same each time
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


def model_style(name: str, models: Sequence[str] = ()) -> tuple[str, str]:
    """Colour and mark of a model.

    Args:
        name: of a model of the zoo, or of another.
        models: all that share the figure; those that are not of the zoo differ by their place.
    """
    if name in MODELS:
        return MODELS[name]
    others = [other for other in models if other not in MODELS]
    return _OTHERS[others.index(name) % len(_OTHERS) if name in others else 0]


def look_of(model: str, models: Sequence[str]) -> dict[str, Any]:
    """Colour, mark and line of a model: its own wherever it is drawn."""
    colour, mark = model_style(model, models)
    places = list(MODELS) if model in MODELS else list(models)
    line = _LINES[places.index(model) % len(_LINES)] if model in places else "-"
    return {"color": colour, "marker": mark, "linestyle": line}


def part_look(part: str) -> dict[str, Any]:
    """Colour, mark and line of a part of the latents: `latent_text`, `latent_vision`, `latent`."""
    line = _LINES[list(PART_COLOURS).index(part)]
    return {"color": PART_COLOURS[part], "marker": _PART_MARKS[part], "linestyle": line}


def look(index: int) -> dict[str, Any]:
    """Colour, mark and line of the arm with this number, in a figure whose panels are models."""
    return {
        "color": ARM_COLOURS[index % len(ARM_COLOURS)],
        "marker": _ARM_MARKS[index % len(_ARM_MARKS)],
        "linestyle": _LINES[index % len(_LINES)],
    }


def step_colour(index: int, count: int) -> str:
    """Grey of a step, from light for the first to dark for the last.

    Args:
        index: number of the step, from 0.
        count: how many there are.
    """
    level = 0.76 - 0.56 * index / max(count - 1, 1)
    return rgb2hex((level, level, level))


def on_dark(colour: str) -> str:
    """The same hue, light enough to be seen on a dark ground."""
    hue, saturation, value = rgb_to_hsv(hex2color(colour))
    red, green, blue = hsv_to_rgb((hue, 0.62 * saturation, 0.55 + 0.45 * value))
    return rgb2hex((red, green, blue))

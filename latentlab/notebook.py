"""What answers and results look like in a notebook: HTML without script, made of plain values.

Whatever comes from data is escaped. Colours are laid over what the notebook shows them on, so that
they read on light and dark. A saved notebook keeps the picture, and needs nothing else to show it.
"""

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup
from PIL import Image

from latentlab.backbones.sight import Crop, Sight
from latentlab.console import interval_text
from latentlab.measures.outcomes import NONE
from latentlab.measures.summary import totals

LONGEST_SIDE = 448
"""Pixels that the longer side of a picture has at most; larger ones are made smaller."""

QUALITY = 88
"""Of JPEG, without thinning out the colours: marks in small pictures are a few pixels wide."""


def data_uri(content: bytes, kind: str) -> str:
    """Bytes as a data URI, e.g. of kind `image/png`."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def picture_uri(
    image: Image.Image,
    part: Crop | None = None,
    longest: int = LONGEST_SIDE,
    quality: int = QUALITY,
) -> str:
    """A picture as a data URI.

    Args:
        image: the picture.
        part: what of it to show; None shows all.
        longest: pixels of its longer side at most.
        quality: of JPEG.
    """
    shown = image.convert("RGB") if part is None else image.convert("RGB").crop(part)
    shown.thumbnail((longest, longest))
    written = io.BytesIO()
    shown.save(written, "JPEG", quality=quality, subsampling=0, optimize=True)
    return data_uri(written.getvalue(), "image/jpeg")


SIDE = 220
"""Width of a picture, in pixels."""

MOST_LINES = 40
"""Lines of a summary that are shown."""

_CELL = "text-align:left;white-space:nowrap;padding:2px 12px 2px 0;vertical-align:top"
_SOFT = "opacity:.7;font-size:90%"


@dataclass(frozen=True)
class Look:
    """One latent step over the picture."""

    attention: Sequence[float] | None
    """Attention on each patch, where it was captured."""

    picks: Sequence[int] | None
    """The patches that were re-inserted, counted from 0."""


def answered_html(
    question: str,
    image: Image.Image | None,
    sight: Sight | None,
    looks: Sequence[Look],
    options: Mapping[str, float],
    chosen: int | None,
    said: str,
    cost: str,
) -> str:
    """An answer: the question, the picture at every latent step, and the options.

    At each step patches are the brighter the more they are attended to, and those that it picks are
    outlined.

    Args:
        question: what was asked.
        image: the picture, if there is one.
        sight: how patches lie on it, where that is known.
        looks: the latent steps.
        options: log-likelihood of each option, in nats.
        chosen: index of the option that was named.
        said: the text of the answer.
        cost: what it took, in words.
    """
    parts = [Markup("<p style='font-size:115%;margin:0 0 8px'><b>{}</b></p>").format(question)]
    if image is not None:
        steps = [_step(image, sight, look, step) for step, look in enumerate(looks, 1)]
        row = "<div style='display:flex;flex-wrap:wrap;gap:16px;margin-bottom:8px'>{}</div>"
        plain = [_figure(image, sight, Look(None, None))]
        parts.append(Markup(row).format(Markup("").join(steps or plain)))
    if options:
        parts.append(_options(list(options), list(options.values()), chosen))
    parts.append(
        Markup(
            "<p style='margin:8px 0 0'>It says: <b>{}</b> <span style='{}'>{}</span></p>"
        ).format(said, _SOFT, cost)
    )
    return str(Markup("<div>{}</div>").format(Markup("").join(parts)))


def results_html(facts: Mapping[str, str], summary: pd.DataFrame) -> str:
    """Results: what was run on what, and the lines over all questions."""
    told = [(name, value) for name, value in facts.items() if value]
    lines = totals(summary)
    shown = lines.head(MOST_LINES)
    more = len(lines) - len(shown)
    rest = Markup("<p style='{}'>and {} more lines in .summary</p>").format(_SOFT, more)
    return str(
        Markup("<div>{}<div style='overflow-x:auto;margin-top:10px'>{}</div>{}</div>").format(
            _table([], told), _table(*_lines(shown)), rest if more else ""
        )
    )


def _step(image: Image.Image, sight: Sight | None, look: Look, step: int) -> Markup:
    """The picture as one latent step sees it."""
    what = f"step {step}"
    if look.picks:
        what += ": picks " + " and ".join(f"patch {pick + 1}" for pick in look.picks)
    return _figure(image, sight, look, what)


def _figure(image: Image.Image, sight: Sight | None, look: Look, what: str = "") -> Markup:
    """The picture, with attention and picks drawn over it where the grid of patches is known."""
    part = Crop(0, 0, image.width, image.height) if sight is None else sight.part
    height = SIDE * (part.bottom - part.top) / (part.right - part.left)
    drawn = [
        Markup("<image href='{}' width='{}' height='{:.1f}' preserveAspectRatio='none'/>").format(
            picture_uri(image, part), SIDE, height
        )
    ]
    if sight is not None:
        columns = sight.columns
        w, h = SIDE / columns, height / sight.rows
        dim = "<rect x='{:.1f}' y='{:.1f}' width='{:.1f}' height='{:.1f}' opacity='{:.2f}'/>"
        outline = (
            "<rect x='{:.1f}' y='{:.1f}' width='{:.1f}' height='{:.1f}' fill='none' "
            "stroke='{}' stroke-width='{}'/>"
        )
        attention = look.attention or ()
        most = max(attention, default=0)
        for cell, value in enumerate(attention):
            x, y = cell % columns * w, cell // columns * h
            drawn.append(Markup(dim).format(x, y, w, h, 0.75 * (1 - value / most) if most else 0))
        for cell in look.picks or ():
            x, y = cell % columns * w + 2, cell // columns * h + 2
            for colour, width in (("#fff", 5), ("#0b5c94", 3)):
                drawn.append(Markup(outline).format(x, y, w - 4, h - 4, colour, width))
    figure = (
        "<figure style='margin:0'><svg width='{}' height='{:.0f}' viewBox='0 0 {} {:.1f}' "
        "role='img' aria-label='{}' style='border-radius:4px'>{}</svg>"
        "<figcaption style='{}'>{}</figcaption></figure>"
    )
    label = what or "the picture that is asked about"
    overlay = Markup("").join(drawn)
    return Markup(figure).format(SIDE, height, SIDE, height, label, overlay, _SOFT, what)


def _options(choices: Sequence[str], logprobs: Sequence[float], chosen: int | None) -> Markup:
    """The probability of each option among all options, as bars."""
    most = max(logprobs)
    weights = [math.exp(value - most) for value in logprobs]
    bar = (
        "<span style='display:inline-block;height:10px;border-radius:3px;background:#0b5c94;"
        "width:{:.0f}px'></span> {:.1f} %"
    )
    rows = []
    for i, (choice, weight) in enumerate(zip(choices, weights, strict=True)):
        share = weight / sum(weights)
        name = Markup("<b>{}</b>").format(choice) if i == chosen else choice
        rows.append(
            ["ABCDEFGHIJKLMNOPQRSTUVWXYZ"[i], name, Markup(bar).format(160 * share, 100 * share)]
        )
    return _table([], rows)


def _lines(lines: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """The columns of a summary that say something, an estimate together with its interval."""
    told = []
    for name in map(str, lines):
        estimate = name == "n" or f"{name}_low" in lines
        varies = name == "model" or lines[name].nunique(dropna=False) > 1
        if (estimate or varies) and not name.endswith(("_low", "_high")):
            told.append(name)
    return told, [[_number(line, name) for name in told] for _, line in lines.iterrows()]


def _number(line: "pd.Series[float]", name: str) -> str:
    """One cell of a summary."""
    value, low, high = (line.get(f"{name}{end}") for end in ("", "_low", "_high"))
    if (
        value is None
        or pd.isna(value)
        or (name.startswith("p_") and str(line.get("intervention")) == NONE)
    ):
        return "–"
    if not isinstance(value, float):
        return str(value)
    if name.startswith("p_"):
        return "<0.001" if value < 0.001 else f"{value:.3f}"
    if low is None or high is None or pd.isna(low) or pd.isna(high):
        return f"{value:.3g}"
    return interval_text(value, low, high, percent=False)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    """A plain table; what is not markup is escaped."""
    cell = Markup("<td style='{}'>{}</td>")
    titles = Markup("").join(
        Markup("<th style='{}'>{}</th>").format(_CELL, name.replace("_", " ")) for name in head
    )
    lines = [
        Markup("<tr>{}</tr>").format(Markup("").join(cell.format(_CELL, value) for value in row))
        for row in rows
    ]
    return Markup("<table style='border-collapse:collapse'><tr>{}</tr>{}</table>").format(
        titles, Markup("").join(lines)
    )

"""One answer as a still picture: what stands in for the viewer on paper and without a script.

It shows the answer that the viewer opens on, left alone and under the exchange.
"""

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

Plain = dict[str, Any]

SIDE = 100
"""Units across a picture."""

PICKS, LABEL, RIGHT = 1, 2, 4
"""Where a step keeps its picks, and what a probe reads up to whether that is right
(`traces.Packed`)."""


@dataclass(frozen=True)
class Still:
    """An answer that nothing can be done to."""

    model: str
    """Whose it is."""

    question: str
    """What was asked."""

    steps: tuple[tuple[str, Markup], ...]
    """Of each latent step what it is about, and the picture with the picks of that step."""

    arm: str
    """What was done to it, in words."""

    options: tuple[tuple[str, str, str, bool], ...]
    """Of each option its text, its probability left alone and under the arm, in per cent, and
    whether it is right."""


def still_of(data: Plain) -> Still:
    """The answer that is shown.

    Args:
        data: what `traces.viewer_data` returns.
    """
    shown = data["opening"]
    model = next(one for one in data["models"] if one["name"] == shown["model"])
    trace = next(one for one in model["traces"] if one["id"] == shown["example"])
    other = [arm["name"] for arm in model["arms"]].index(shown["intervention"])
    asked, words = data["examples"][trace["id"]], data["words"]
    alone, moved = (trace["answers"][arm]["probabilities"] for arm in (0, other))
    before, after = ([trace["pool"][step] for step in trace["runs"][arm]] for arm in (0, other))
    path = asked["path"]
    steps = tuple(
        (
            _holds(
                path[i] if i < len(path) else "", read[LABEL:RIGHT], altered[LABEL:RIGHT], words
            ),
            _picture(asked, trace["grid"], read[PICKS]),
        )
        for i, (read, altered) in enumerate(zip(before, after, strict=True), 1)
    )
    options = tuple(
        (choice, _percent(alone, i), _percent(moved, i), i == asked["gold"])
        for i, choice in enumerate(asked["choices"])
    )
    arm = model["arms"][other]["said"]
    return Still(model["name"], asked["question"], steps, arm, options)


def _holds(hop: str, alone: list[Any], altered: list[Any], words: list[str]) -> str:
    """What a step is about, and what a probe reads there, left alone and altered."""
    told = [hop] if hop else []
    for when, (label, right) in (("reads", alone), ("altered, reads", altered)):
        if label is not None:
            told.append(f"{when} {words[label]} {'✓' if right else '✗'}")
    return "; ".join(told)


def _percent(probabilities: list[float] | None, option: int) -> str:
    return f"{100 * probabilities[option]:.1f}" if probabilities else "–"


def _picture(asked: Plain, grid: list[int | None], picks: list[int] | None) -> Markup:
    """The picture with the patches framed that a step re-inserts."""
    if not asked["picture"]:
        return Markup("")
    width, height = asked["size"] or (1, 1)
    across, (rows, columns) = SIDE * height / width, grid
    drawn = [
        Markup('<image href="{}" width="{}" height="{:.1f}" preserveAspectRatio="none"/>').format(
            asked["picture"], SIDE, across
        )
    ]
    frame = '<rect class="still-pick" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>'
    for cell in picks or () if rows and columns else ():
        w, h = SIDE / columns, across / rows
        drawn.append(
            Markup(frame).format(cell % columns * w + 1, cell // columns * h + 1, w - 2, h - 2)
        )
    return Markup('<svg viewBox="0 0 {} {:.1f}" aria-hidden="true">{}</svg>').format(
        SIDE, across, Markup("").join(drawn)
    )

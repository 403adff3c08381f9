"""One answer as a still picture: what stands in for the viewer on paper and without a script.

It shows the first answer that is right and becomes wrong on another question's latents.
"""

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from latentlab.report.cast import EXCHANGED

Plain = dict[str, Any]

SIDE = 100
"""Units across a picture."""


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


def still_of(data: Plain) -> Still | None:
    """The answer that is shown.

    Args:
        data: what `traces.viewer_data` returns.
    """
    for model in data["models"]:
        arms = [arm["name"] for arm in model["arms"]]
        other = arms.index(EXCHANGED) if EXCHANGED in arms else len(arms) - 1
        traces = model["traces"]
        turned = [t for t in traces if t["answers"][0]["right"] and not t["answers"][other]["right"]]
        for trace in (turned or traces)[:1]:
            return _still(model, data["examples"][trace["id"]], trace, other)
    return None


def _still(model: Plain, asked: Plain, trace: Plain, other: int) -> Still:
    alone, moved = (trace["answers"][arm]["probabilities"] for arm in (0, other))
    path = asked["path"]
    steps = tuple(
        (path[i] if i < len(path) else "", _picture(asked, step))
        for i, step in enumerate(trace["steps"], 1)
    )
    options = tuple(
        (choice, _percent(alone, i), _percent(moved, i), i == asked["gold"])
        for i, choice in enumerate(asked["choices"])
    )
    arm = model["arms"][other]["said"]
    return Still(model["name"], asked["question"], steps, arm, options)


def _percent(probabilities: list[float] | None, option: int) -> str:
    return f"{100 * probabilities[option]:.1f}" if probabilities else "–"


def _picture(asked: Plain, step: Plain) -> Markup:
    """The picture with the patches framed that a step re-inserts."""
    if not asked["picture"]:
        return Markup("")
    width, height = asked["size"] or (1, 1)
    across, (rows, columns) = SIDE * height / width, step["grid"] if step["grid"] else (0, 0)
    drawn = [
        Markup('<image href="{}" width="{}" height="{:.1f}" preserveAspectRatio="none"/>').format(
            asked["picture"], SIDE, across
        )
    ]
    frame = '<rect class="still-pick" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>'
    for cell in step["picks"] or () if rows and columns else ():
        w, h = SIDE / columns, across / rows
        drawn.append(
            Markup(frame).format(cell % columns * w + 1, cell // columns * h + 1, w - 2, h - 2)
        )
    return Markup('<svg viewBox="0 0 {} {:.1f}" aria-hidden="true">{}</svg>').format(
        SIDE, across, Markup("").join(drawn)
    )

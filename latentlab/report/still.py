"""One answer as a still picture: what stands in for the viewer on paper and without a script.

It is the answer that the viewer opens on, left alone and under the intervention that turns it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

Plain = Mapping[str, Any]

SIDE = 100
"""Units across a picture."""

PICKS, READ, RIGHT = 1, 2, 3
"""Where a step keeps its picks, what a probe reads, and whether that is right (`traces.Packed`)."""


@dataclass(frozen=True)
class Step:
    """One latent step of one run."""

    hop: str
    """The object that the step is about; empty where that is not known."""

    picture: Markup
    """The picture, with the patches framed that the step shows again."""

    read: str
    """What a probe reads off the latent, with a tick or a cross; empty without a probe."""


@dataclass(frozen=True)
class WrittenCall:
    """One call of a model that writes."""

    name: str
    """What it was for."""

    pictures: tuple[str, ...]
    """Data URIs of the pictures that it newly shows."""

    said: tuple[tuple[str, str], ...]
    """The reply in pieces, each with a tick, a cross or nothing."""


@dataclass(frozen=True)
class Written:
    """What a model wrote before it answered."""

    name: str
    """Whose it is."""

    calls: tuple[WrittenCall, ...]
    """What it wrote, call by call."""

    answer: str
    """What it answers."""

    right: bool
    """Whether that is right."""

    cost: str
    """What it took."""


@dataclass(frozen=True)
class Still:
    """An answer that nothing can be done to."""

    model: str
    """Whose it is."""

    question: str
    """What was asked."""

    runs: tuple[tuple[str, tuple[Step, ...]], ...]
    """What was done to the model, in words, and the steps that it took then."""

    options: tuple[tuple[str, tuple[str, ...], bool], ...]
    """Of each option its text, its probability in each run in per cent, and whether it is right."""

    written: tuple[Written, ...]
    """The same question, answered in words."""


def still_of(data: Plain) -> Still:
    """The answer that is shown.

    Args:
        data: what `traces.viewer_data` returns.
    """
    first = data["opening"]
    model = next(one for one in data["models"] if one["name"] == first["model"])
    trace = next(one for one in model["traces"] if one["id"] == first["example"])
    asked = data["examples"][first["example"]]
    names = [arm["name"] for arm in model["arms"]]
    shown = dict.fromkeys((0, names.index(first["intervention"])))
    runs = tuple(
        (model["arms"][run]["said"], tuple(_steps(run, trace, asked, data["words"])))
        for run in shown
    )
    options = tuple(
        (
            choice,
            tuple(_percent(trace["answers"][run]["probabilities"], i) for run in shown),
            i == asked["gold"],
        )
        for i, choice in enumerate(asked["choices"])
    )
    return Still(
        model["name"], asked["question"], runs, options, written_of(data, first["example"])
    )


def told_of(data: Plain) -> list[tuple[str, tuple[Written, ...]]]:
    """Every question with its written answers, for pages that have no others."""
    asked = data["examples"].items()
    return [(example["question"], written_of(data, name)) for name, example in asked]


def written_of(data: Plain, example: str) -> tuple[Written, ...]:
    """What models wrote that were asked a question and write before they answer."""
    choices, pictures = data["examples"][example]["choices"], data["pictures"]
    found = []
    for model in data["written"]:
        if (answer := model["answers"].get(example)) is None:
            continue
        calls = tuple(
            WrittenCall(
                call["name"],
                tuple(pictures[place] for place in call["pictures"]),
                tuple(_piece(piece) for piece in call["said"]),
            )
            for call in answer["calls"]
        )
        said = answer["text"] if answer["choice"] is None else choices[answer["choice"]]
        found.append(Written(model["name"], calls, said, answer["right"], answer["cost"]))
    return tuple(found)


def _piece(piece: str | tuple[str, bool]) -> tuple[str, str]:
    """Words, and the mark that stands beside them."""
    return (piece, "") if isinstance(piece, str) else (piece[0], "✓" if piece[1] else "✗")


def _steps(run: int, trace: Plain, asked: Plain, words: list[str]) -> Iterator[Step]:
    """The steps of a run."""
    path = asked["path"]
    for i, place in enumerate(trace["runs"][run], 1):
        step = trace["pool"][place]
        read = "" if step[READ] is None else f"{words[step[READ]]} {'✓' if step[RIGHT] else '✗'}"
        hop = path[i] if i < len(path) else ""
        yield Step(hop, _picture(asked, trace["grid"], step[PICKS] or []), read)


def _percent(probabilities: list[float] | None, option: int) -> str:
    return f"{100 * probabilities[option]:.1f}" if probabilities else "–"


def _picture(asked: Plain, grid: tuple[int | None, int | None], picks: list[int]) -> Markup:
    """The picture with some patches framed."""
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
    for cell in picks if rows and columns else ():
        w, h = SIDE / (columns or 1), across / (rows or 1)
        drawn.append(
            Markup(frame).format(
                cell % (columns or 1) * w + 1, cell // (columns or 1) * h + 1, w - 2, h - 2
            )
        )
    return Markup('<svg viewBox="0 0 {} {:.1f}" aria-hidden="true">{}</svg>').format(
        SIDE, across, Markup("").join(drawn)
    )

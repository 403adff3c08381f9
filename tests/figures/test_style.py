"""Looks that can be told apart, in colour, in grey and by the colour-blind."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import hex2color

from latentlab.checkpoint import zoo_names
from latentlab.figures import style
from latentlab.figures.style import (
    ARM_COLOURS,
    LEAST_TYPE,
    MODELS,
    PART_COLOURS,
    RC,
    WIDTHS,
    canvas,
    look,
    look_of,
    model_style,
    on_dark,
    part_look,
    step_colour,
)

TOGETHER = (
    ("ivtlr", "relay", "gaze", "redundant", "bypass", "decoy", "filler"),
    ("ivtlr", "relay", "gaze", "coconut", "bypass", "decoy", "filler"),
    ("ivtlr", "relay", "gaze", "cot", "cot_vision"),
)
"""Models that share a figure."""

# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
SEEN_BY = {
    "anyone": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}


def lab(colour, seen_by="anyone"):
    """CIELAB of a colour as someone sees it (D65)."""
    rgb = np.array(hex2color(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(SEEN_BY[seen_by] @ linear, 0, 1)
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    x, y, z = (
        np.cbrt(v) if v > 0.008856 else 7.787 * v + 16 / 116
        for v in to_xyz @ linear / [0.95047, 1, 1.08883]
    )
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def distance(one, other, seen_by="anyone"):
    return np.linalg.norm(lab(one, seen_by) - lab(other, seen_by))


def test_distances_are_those_of_cielab():
    assert distance("#000000", "#ffffff") == pytest.approx(100, abs=0.01)
    # To someone with protanopia this red and this olive are nearly one.
    assert distance("#c04020", "#6e6a20", "protanopia") < 25 < distance("#c04020", "#6e6a20")


@pytest.mark.parametrize("models", TOGETHER)
def test_models_that_share_a_figure_differ_for_every_reader(models):
    for one, other in combinations(models, 2):
        (colour, mark), (second, another) = model_style(one), model_style(other)
        assert mark != another
        for seen_by in SEEN_BY:
            assert distance(colour, second, seen_by) > 11, (one, other, seen_by)
        assert abs(lab(colour)[0] - lab(second)[0]) > 5, (one, other)


def test_every_model_of_the_zoo_has_a_look_of_its_own():
    assert set(zoo_names()) <= set(MODELS)
    assert len({colour for colour, _ in MODELS.values()}) == len(MODELS)
    assert len({mark for _, mark in MODELS.values()}) == len(MODELS)
    lines = {str(look_of(name, ())["color"]) for name in MODELS}
    assert lines == {colour for colour, _ in MODELS.values()}


def test_nothing_else_is_drawn_in_the_colours_of_models():
    others = [*PART_COLOURS.values(), *ARM_COLOURS, style.INK, style.MUTED, style.GRID]
    for colour, _ in MODELS.values():
        assert min(distance(colour, other) for other in others) > 15


@pytest.mark.parametrize("colours", [tuple(PART_COLOURS.values()), ARM_COLOURS])
def test_parts_and_arms_differ_for_every_reader(colours):
    for one, other in combinations(colours, 2):
        for seen_by in SEEN_BY:
            assert distance(one, other, seen_by) > 15, (one, other, seen_by)
        assert abs(lab(one)[0] - lab(other)[0]) > 5, (one, other)
    assert len({look(i)["marker"] for i in range(5)}) == 5
    assert len({part_look(part)["marker"] for part in PART_COLOURS}) == 3


def test_models_of_a_user_differ_from_each_other():
    models = [f"m{i}" for i in range(4)]
    looks = [look_of(name, models) for name in models]
    assert len({one["color"] for one in looks}) == len({one["marker"] for one in looks}) == 4
    marks = {mark for _, mark in MODELS.values()}
    assert not marks & {one["marker"] for one in looks}
    assert look_of("m0", models)["color"] == model_style("m0")[0]


def test_steps_are_a_ramp_of_greys():
    levels = [lab(step_colour(i, 4)) for i in range(4)]
    assert all(a[0] - b[0] > 10 for a, b in pairwise(levels))
    assert np.abs([level[1:] for level in levels]).max() < 0.1
    assert step_colour(0, 1) == step_colour(0, 4)


def test_colours_can_be_seen_on_a_dark_ground():
    for colour in (*(c for c, _ in MODELS.values()), *PART_COLOURS.values(), *ARM_COLOURS):
        assert lab(on_dark(colour))[0] > 45


def test_letters_are_large_enough_where_they_are_printed():
    sizes = [value for name, value in RC.items() if name.endswith("size") and "marker" not in name]
    sizes.remove(RC["errorbar.capsize"])
    assert min(sizes) >= LEAST_TYPE == 7
    assert WIDTHS == {"single": 3.25, "double": 6.75}


def test_a_canvas_is_as_wide_as_columns_of_a_paper():
    figure, axes = canvas("double", 2, 2, 3)
    assert figure.get_size_inches().tolist() == [6.75, 2]
    assert len(axes) == 6
    plt.close(figure)

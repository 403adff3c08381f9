"""Marks stand where the numbers say."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from latentlab.figures.dots import draw_dots, offsets
from latentlab.figures.marks import draw_intervals, heat
from latentlab.figures.style import DARK_LETTERS, LIGHT_LETTERS, canvas, look

LINES = pd.DataFrame(
    {"lost": [0.5, 0.2], "lost_low": [0.4, 0.2 + 1e-9], "lost_high": [0.75, float("nan")]}
)


@pytest.fixture
def axis():
    figure, (one,) = canvas()
    yield one
    plt.close(figure)


@pytest.mark.parametrize("upright", [True, False])
def test_intervals_end_where_the_lines_say(axis, upright):
    draw_intervals(axis, [1, 3], LINES, "lost", 100, upright=upright, color="#000000")
    (bars,) = axis.containers
    mark, _, (sticks,) = bars
    places, values = mark.get_data() if upright else reversed(mark.get_data())
    assert list(places) == [1, 3]
    np.testing.assert_allclose(values, [50, 20])
    along = 1 if upright else 0
    ends = [segment[:, along].tolist() for segment in sticks.get_segments()]
    np.testing.assert_allclose(ends[0], [40, 75])
    # A bound past the estimate or a missing one draws no bar to the wrong side.
    np.testing.assert_allclose(ends[1], [20, 20])


def test_marks_that_are_not_joined_have_no_line(axis):
    draw_intervals(axis, [1, 3], LINES, "lost", joined=False, **look(1))
    assert axis.containers[0][0].get_linestyle() == "None"


def test_dots_stand_in_their_rows_side_by_side(axis):
    lines = pd.concat(
        [LINES.assign(row=["b", "a"], series="one"), LINES.assign(row=["b", "gone"], series="two")]
    )
    looks = {"one": look(0), "two": look(1)}
    draw_dots(axis, lines, {"a": "first", "b": "second"}, looks)
    one, two = (container[0].get_data() for container in axis.containers)
    shift = offsets(2, 0.62)
    np.testing.assert_allclose(one[1], [1 + shift[0], 0 + shift[0]])
    np.testing.assert_allclose(one[0], [50, 20])
    np.testing.assert_allclose(two[1], [1 + shift[1]])
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["first", "second"]
    low, high = axis.get_ylim()
    assert low > high  # the first row is on top


def test_one_series_stands_in_the_middle():
    assert offsets(1, 0.6) == [0.0]
    assert sum(offsets(4, 0.6)) == pytest.approx(0)


def test_a_heat_map_writes_each_number_where_it_can_be_read(axis):
    values = pd.DataFrame([[0.0, 1.0], [float("nan"), 0.5]], index=["r", "s"], columns=["x", "y"])
    heat(axis, values, 0, 1, form="{:.1f}")
    texts = {text.get_position(): text for text in axis.texts}
    assert {place: text.get_text() for place, text in texts.items()} == {
        (0, 0): "0.0",
        (1, 0): "1.0",
        (1, 1): "0.5",
    }
    assert texts[0, 0].get_color() == LIGHT_LETTERS
    assert texts[1, 0].get_color() == DARK_LETTERS
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["x", "y"]

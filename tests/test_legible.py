"""The reading of figures finds what cannot be read, and nothing where all can."""

import pytest
from matplotlib import pyplot as plt

from latentlab.figures.style import canvas
from tests.legible import LEAST, WORDS, caption_problems, drawn_texts, problems


@pytest.fixture
def axis():
    _, (one,) = canvas("single", 2)
    one.set(xlabel="below", ylabel="beside", title="above")
    yield one
    plt.close("all")


def test_a_plain_figure_can_be_read(axis):
    axis.plot([0, 1], [0, 1], label="a line")
    axis.figure.legend(loc="outside upper center")
    assert problems(axis.figure) == []
    assert {"below", "beside", "above", "a line"} <= {t.text for t in drawn_texts(axis.figure)}


def test_text_on_text_is_found_wherever_it_comes_from(axis):
    axis.text(0.5, 0.5, "one", transform=axis.transAxes)
    axis.text(0.52, 0.5, "other", transform=axis.transAxes)
    axis.set_xticks([0.5, 0.502], ["first tick", "second tick"])
    assert problems(axis.figure) == [
        "'first tick' and 'second tick' overlap",
        "'one' and 'other' overlap",
    ]


def test_text_beside_text_is_fine(axis):
    axis.text(0.2, 0.5, "one", transform=axis.transAxes, ha="right")
    axis.text(0.21, 0.5, "other", transform=axis.transAxes)
    axis.text(0.2, 0.35, "further down", transform=axis.transAxes)
    assert problems(axis.figure) == []


@pytest.mark.parametrize("place", [(-1, 0.5), (0.5, 3), (1.6, 0.5)])
def test_text_outside_the_canvas_is_found(axis, place):
    axis.text(*place, "far away", transform=axis.transAxes, in_layout=False)
    assert problems(axis.figure) == ["'far away' is cut off"]


def test_text_that_its_axes_cut_off_is_found(axis):
    axis.text(0.9, 0.5, "longer than there is room", transform=axis.transAxes, clip_on=True)
    assert "'longer than there is room' is cut off" in problems(axis.figure)


def test_small_type_is_found_and_hidden_text_is_not(axis):
    axis.text(0.5, 0.5, "small", transform=axis.transAxes, fontsize=LEAST - 0.5)
    axis.text(0.5, 0.5, "hidden", transform=axis.transAxes, visible=False)
    assert problems(axis.figure) == ["'small' has 6.5 pt"]


def test_a_figure_is_as_wide_as_a_column(axis):
    axis.figure.set_size_inches(5, 2)
    assert problems(axis.figure) == ["the figure is 5.00 in wide, which is no width of a column"]


def test_a_caption_is_a_finding_with_a_number_and_then_what_is_drawn():
    assert caption_problems("Four hops take 4 look-ups.\n\nBars are intervals.") == []
    assert caption_problems("It takes four hops.\n\nBars.") == []
    assert caption_problems("It falls by 3.") == ["the caption has 1 paragraphs, not 2"]
    assert caption_problems("It falls.\n\nBars.") == ["the finding has no number"]
    long = "word " * (WORDS + 1)
    assert caption_problems(f"It falls by 3.\n\n{long}") == [
        f"the caption takes {WORDS + 1} words to say what is drawn"
    ]

"""Tables at every width: nothing is cut, and what is left out is named."""

import math
import re

import pandas as pd
import pytest

from latentlab import console

WIDTHS = (40, 60, 80, 100, 120, 200)
HEADINGS = {
    "arm": "knock-out at inference",
    "accuracy": "accuracy, %",
    "delta": "change in accuracy, points",
    "flip": "answers flipped, %",
    "p_holm": "p (Holm)",
}
SPARE = ("p_holm", "flip")


@pytest.fixture
def frame():
    made = pd.DataFrame(
        {
            "arm": ["left alone", "without latent text: positions held", "  slots kept empty"],
            "n": 500,
            "accuracy": [0.894, 0.006, 0.016],
            "delta": [math.nan, -0.888, 0.002],
            "flip": [math.nan, 0.93, 0.91],
            "p_holm": [math.nan, 1e-9, 0.25],
        }
    )
    for name in ("accuracy", "delta", "flip"):
        made[f"{name}_low"], made[f"{name}_high"] = made[name] - 0.021, made[name] + 0.021
    return made


def show(frame, **more):
    console.table(frame, HEADINGS, "Knocked out", percent=("accuracy", "delta", "flip"), **more)


def test_estimates_stand_next_to_their_intervals_with_true_signs(frame, capsys):
    show(frame)
    shown = capsys.readouterr().out
    for cell in ("89.4 [87.3, 91.5]", "−88.8 [−90.9, −86.7]", "+0.2 [−1.9, +2.3]", "<0.001", "–"):
        assert cell in shown
    assert "Left out" not in shown


def test_few_questions_have_no_tenths(frame, capsys):
    show(frame.assign(n=12))
    assert "89 [87, 92]" in capsys.readouterr().out


def test_one_column_has_one_number_of_digits(capsys):
    frame = pd.DataFrame(
        {"ratio": [3.14159, 1.0], "ratio_low": [2.5, 0.5], "ratio_high": [3.7, 1.5]}
    )
    console.table(frame, ["ratio"], "Attention")
    shown = capsys.readouterr().out
    assert "3.1 [2.5, 3.7]" in shown
    assert "1.0 [0.5, 1.5]" in shown


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_width_cuts_a_number_a_word_or_an_interval(frame, screen, width, wide):
    shown = screen(width)
    console.widen(wide)
    try:
        show(frame, spare=SPARE)
    finally:
        console.widen(False)
    text = shown()
    assert max(map(len, text.splitlines())) <= width
    words = " ".join(text.split())
    intervals = ["[87.3, 91.5]", "[−90.9, −86.7]", "[−1.9, +2.3]"]
    intervals += ["[90.9, 95.1]"] if wide else []
    for whole in (*intervals, "89.4", "−88.8", "inference", "accuracy", "without"):
        assert whole in text, whole
    assert all(re.search(r"\[[^\[\]\n]*\]", line) for line in text.splitlines() if "[" in line)
    body, _, left_out = words.partition("Left out at")
    for name, cell in (("p_holm", "<0.001"), ("flip", "[90.9, 95.1]")):
        assert (cell in body) != (HEADINGS[name] in left_out)
    if wide or width >= 120:
        assert not left_out


def test_columns_go_in_the_order_that_the_table_names(frame, screen):
    shown = screen(80)
    show(frame, spare=("flip", "p_holm"))
    assert "Left out at 80 columns: answers flipped, %; see --wide or summary.csv." in shown()
    assert "<0.001" in shown()


def test_what_fits_on_no_line_stands_in_parts_that_repeat_their_first_columns(frame, screen):
    shown = screen(45)
    show(frame)
    assert shown().count("left alone") > 1
    assert shown().count("<0.001") == 1


def test_a_table_without_a_unicode_stream_is_drawn_in_ascii(frame, screen):
    shown = screen(120, encoding="ascii")
    show(frame)
    assert "-88.8 [-90.9, -86.7]" in shown()


def test_a_column_that_is_not_there_is_refused():
    with pytest.raises(KeyError, match="accuracy"):
        console.table(pd.DataFrame({"n": [1]}), ["accuracy"], "Nothing")


def test_numbers_begin_beside_the_first_line_of_a_label_or_under_what_heads_it(screen):
    shown = screen(80)
    rows = [
        {"arm": "a long name of an arm that is folded somewhere at this width, twice", "x": 1.0},
        {"arm": "heads it:\n  way", "x": 2.0},
    ]
    ends = ("", "_low", "_high", "2", "2_low", "2_high", "3", "3_low", "3_high")
    frame = pd.DataFrame([r | {f"x{end}": 1000 * r["x"] for end in ends} for r in rows])
    console.table(frame, ["arm", "x", "x2", "x3"], "Stacked", percent=())
    lines = shown().splitlines()
    label = next(line for line in lines if line.startswith("a long"))
    assert "1000" in label
    assert "2000" not in next(line for line in lines if "heads it" in line)
    assert "2000" in next(line for line in lines if line.startswith("  way"))

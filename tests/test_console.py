import math

import pandas as pd
import pytest

from latentlab import console


def test_streams_are_kept_apart(capsys):
    console.show("a result")
    console.note("a remark")
    console.warn("a doubt")
    console.fail("an error")
    streams = capsys.readouterr()
    assert streams.out == "a result\n"
    assert streams.err == "a remark\nwarning: a doubt\nerror: an error\n"


def test_a_long_or_bracketed_message_stays_one_line_as_it_is(capsys):
    message = "[bold] is no colour " + "very " * 100
    console.fail(message)
    assert capsys.readouterr().err == f"error: {message}\n"


def test_track_hands_on_everything_and_is_silent_without_a_terminal(capsys):
    assert list(console.track(range(1000), "counting")) == list(range(1000))
    assert list(console.track(iter("abc"), "spelling", total=3)) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")


def test_table_joins_estimates_with_their_intervals(capsys):
    frame = pd.DataFrame(
        {
            "model": ["relay", "[gaze]"],
            "n": [500, 12],
            "accuracy": [0.931, math.nan],
            "accuracy_low": [0.910, math.nan],
            "accuracy_high": [0.948, math.nan],
            "ratio": [3.14159, 1.0],
            "ratio_low": [2.5, 0.5],
            "ratio_high": [3.75, 1.5],
            "p_holm": [1e-9, 0.25],
        }
    )
    console.table(frame, {"model": "Model", **{c: c for c in ("n", "accuracy")}}, "Knocked out")
    shown = capsys.readouterr().out
    assert "Knocked out" in shown
    assert "93.1 [91.0, 94.8]" in shown
    assert "[gaze]" in shown
    assert "–" in shown
    console.table(frame, ["ratio", "p_holm"], "Attention")
    shown = capsys.readouterr().out
    assert "3.14 [2.5, 3.75]" in shown
    assert "<0.001" in shown
    assert "0.250" in shown


def test_table_refuses_a_column_that_is_not_there():
    with pytest.raises(KeyError, match="accuracy"):
        console.table(pd.DataFrame({"n": [1]}), ["accuracy"], "Nothing")

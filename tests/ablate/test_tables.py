"""Tables show every arm, and under it what goes with it."""

import pandas as pd
import pytest

from latentlab import console
from latentlab.ablate.tables import show_tables
from tests.ablate.lines import GAIN, HARM, MOVES, NOTHING, control, line, moved, removed


def test_tables_show_how_answers_move(capsys):
    show_tables(pd.DataFrame([moved("none", 0.0, 0.0, "none"), moved("zero latent", 0.5, -2.0)]))
    shown = capsys.readouterr().out
    assert "50.0 [50.0, 50.0]" in shown
    assert "−2.00 [−2.00, −2.00]" in shown


def test_tables_are_one_a_model_without_domains_and_with_controls_set_in(capsys):
    lines = [
        line("none", kind="none"),
        line("zero latent", (-0.5, -0.6, -0.4)),
        control("zero latent", "on uninformative words", (-0.4, -0.5, -0.3)),
        line("zero latent", domain="digits"),
        line("zero latent", domain="digits", topic="dark"),
    ]
    show_tables(pd.DataFrame([*lines, *({**entry, "model": "gaze"} for entry in lines)]))
    shown = capsys.readouterr().out
    assert "relay: 500 questions of the benchmark" in shown
    assert "gaze: 500 questions of the benchmark" in shown
    assert shown.count("zeros for latents") == 2
    assert "  control: uninformative words" in shown
    assert "−50.0 [−60.0, −40.0]" in shown
    assert "_" not in shown  # no name of a column or an arm
    assert "digits" not in shown


@pytest.mark.parametrize("width", [80, 120, 200])
def test_what_removes_the_same_stands_together_and_no_line_is_too_wide(capsys, monkeypatch, width):
    monkeypatch.setattr(console.results, "width", width)
    moves = {f"{n}{end}": 0.25 for n in MOVES for end in ("", "_low", "_high")}
    lines = [
        line("none", kind="none", **moves),
        *removed("drop latent", HARM, NOTHING, GAIN, **moves),
        *removed("k=4", NOTHING, HARM, **moves),
    ]
    show_tables(pd.DataFrame(lines).assign(delta_smallest=0.026))
    shown = capsys.readouterr().out
    order = (
        "without latents:",
        "positions held",
        "positions closed",
        "slots kept empty",
        "4 re-inserted",
    )
    places = [shown.index(name) for name in order]
    assert places == sorted(places)
    assert [shown.count(name) for name in order] == [1, 2, 2, 1, 1]
    # Under every rule of positions the change stands with its interval.
    for harm, times in ((HARM, 2), (NOTHING, 2), (GAIN, 1)):
        mean, low, high = (f"{100 * end:+.1f}".replace("-", "−") for end in harm)
        assert shown.count(f" {mean} [{low}, {high}]") == times
    assert shown.count(" 2.6 ") + shown.count(" 2.6\n") == 5  # of all but the model left alone
    table = [row for row in shown.splitlines() if not row.startswith("Left out")]
    assert max(map(len, table)) <= width
    assert ("Left out at 80 columns" in shown) == (width == 80)

"""Tables show every arm, and under it what goes with it."""

import pandas as pd
import pytest

from latentlab import console
from latentlab.ablate.tables import show_tables
from latentlab.vocabulary import EMPTY
from tests.ablate.lines import GAIN, HARM, MOVES, NOTHING, control, line, moved, removed


def test_tables_show_how_answers_move(capsys):
    show_tables(pd.DataFrame([moved("none", 0.0, 0.0, "none"), moved("zero latent", 0.5, -2.0)]))
    shown = capsys.readouterr().out
    assert "50.0 [50.0, 50.0]" in shown
    assert "-2 [-2, -2]" in shown


def test_tables_are_one_a_model_without_domains_and_with_controls_set_in(capsys):
    lines = [
        line("none", kind="none"),
        line("drop latent", (-0.5, -0.6, -0.4)),
        control("drop latent", "slots kept, empty", (-0.4, -0.5, -0.3)),
        line("drop latent", domain="digits"),
        line("drop latent", domain="digits", topic="dark"),
    ]
    show_tables(pd.DataFrame([*lines, *({**entry, "model": "gaze"} for entry in lines)]))
    shown = capsys.readouterr().out
    assert "relay: 500 questions of benchmark" in shown
    assert "gaze: 500 questions of benchmark" in shown
    assert shown.count("drop latent") == 2
    assert "  control: slots kept, empty" in shown
    assert "-50.0 [-60.0, -40.0]" in shown
    assert "digits" not in shown


@pytest.mark.parametrize("width", [80, 200])
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
    tables = 1 if width > 100 else 2
    drop, closed, kept = (shown.index(name) for name in ("drop latent: held", "  closed", EMPTY))
    assert drop < closed < kept < shown.index("k=4: held")
    for label, n in (("drop latent: held", 1), ("  closed ", 2), ("  slots kept, empty", 1)):
        assert shown.count(label) == n * tables, label
    # Under every rule of positions the difference stands with its interval.
    for harm, times in ((HARM, 2), (NOTHING, 2), (GAIN, 1)):
        mean, low, high = (f"{100 * end:.1f}" for end in harm)
        assert shown.count(f" {mean} [{low}, {high}]") == times
    assert shown.count(" 2.6 ") == 5  # of all but the model left alone
    assert max(map(len, shown.splitlines())) <= width

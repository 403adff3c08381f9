"""Progress: a bar on a terminal, few lines elsewhere, and the count is right at any depth."""

import pytest

from latentlab import console
from latentlab.console.progress import FIRST, PAUSE


class Clock:
    """Seconds that pass when told to."""

    now = 0.0

    def __call__(self):
        return self.now


def test_everything_is_handed_on_and_short_work_says_nothing(capsys):
    assert list(console.track(range(1000), "counting")) == list(range(1000))
    assert list(console.track(iter("abc"), "spelling", total=3)) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")


def test_a_log_gets_a_line_now_and_then(capsys):
    clock = Clock()
    with console.progress("ivtlr", 10_000, clock=clock):
        for _ in range(10_000):
            clock.now += 1.0
            console.advance(1)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == (
        "ivtlr: 200 of 10,000 answers (2 %), 3 min 20 s so far, about 2 h 43 min to go"
    )
    assert 10 < len(lines) <= 50
    assert not lines[-1].startswith("ivtlr: 10,000")


def test_lines_of_a_log_have_time_between_them(capsys):
    clock = Clock()
    with console.progress("ivtlr", 100, clock=clock):
        for _ in range(60):
            clock.now += 1.0
            console.advance(1)
    assert len(capsys.readouterr().err.splitlines()) == 1 + int((60 - FIRST) // PAUSE)


@pytest.mark.parametrize("amount", [7, 1000])
def test_no_more_is_done_than_there_is(amount, screen):
    shown = screen(120, "remarks")
    with console.progress("ivtlr", 20):
        console.advance(amount)
        console.reach(3)  # what is done stays done
        console.advance(amount)
    assert f"{min(2 * amount, 20)} of 20 answers" in shown()


def test_of_a_count_within_another_one_only_the_outer_is_shown(screen):
    shown = screen(120, "remarks")
    with console.progress("outer", 2, "models"):
        for _ in console.track(range(5), "inner"):
            pass
        console.advance(1)
    assert "1 of 2 models" in shown()
    assert "inner" not in shown()


def test_nothing_is_counted_where_nothing_is_under_way():
    console.advance(3)
    console.reach(3)

"""Results, remarks and errors: where they go, how they wrap, what a stream cannot write."""

import pytest

from latentlab import console
from latentlab.console.streams import wrapped


def test_streams_are_kept_apart(capsys):
    console.show("a result")
    console.aside("how to read it")
    console.note("a remark")
    console.warn("a doubt")
    console.fail("an error")
    streams = capsys.readouterr()
    assert streams.out == "a result\nhow to read it\n"
    assert streams.err == "a remark\nwarning: a doubt\nerror: an error\n"


def test_a_long_or_bracketed_message_stays_one_line_as_it_is(capsys):
    message = "[bold] is no colour " + "very " * 100
    console.fail(message)
    assert capsys.readouterr().err == f"error: {message}\n"


@pytest.mark.parametrize("width", [20, 37, 80, 200])
def test_a_terminal_gets_whole_words_numbers_and_intervals(screen, width):
    text = (
        "Without its latent text it answers 0.6 % instead of 89 % [86, 92] of 500 questions; "
        "without its latent vision nothing changes (more than 2.3 points would have shown)."
    )
    shown = screen(width)
    console.show(text)
    lines = shown().splitlines()
    assert max(map(len, lines)) <= width
    assert " ".join(lines) == text
    for whole in ("0.6 %", "89 % [86, 92]", "2.3 points"):
        assert any(whole in line for line in lines), whole


def test_a_word_longer_than_the_screen_is_not_cut(screen):
    path = "results/" + "long/" * 20
    shown = screen(30)
    console.show(f"Rows are in {path}.")
    assert path in shown()


def test_a_label_takes_room_of_the_first_line_alone(screen):
    shown = screen(20, "remarks")
    console.warn("one two three four five six")
    lines = shown().splitlines()
    assert lines[0].startswith("warning: one two")
    assert max(map(len, lines)) <= 20


def test_what_is_set_in_stays_set_in():
    assert wrapped("  a long label of a row", 12) == ["  a long", "  label of a", "  row"]
    assert wrapped("a label", 7, inner=2) == ["a label"]
    assert wrapped("a label", 5, inner=2) == ["a", "  label"]


def test_a_stream_that_knows_no_minus_gets_the_one_of_keyboards(screen):
    shown = screen(80, encoding="ascii")
    console.show("−16.8 points ± 3 … in Köln")
    assert shown() == "-16.8 points +/- 3 ... in K\\xf6ln\n"


def test_control_characters_are_shown_and_not_sent(capsys):
    console.show("a \x1b[31mred\x07 domain \u202eback\x9b")
    assert capsys.readouterr().out == "a \\x1b[31mred\\x07 domain \\u202eback\\x9b\n"


def test_a_command_says_the_same_thing_once(capsys):
    console.forget()
    for text in ("a has none; passed over", "b has none; passed over") * 2:
        console.note_once(text)
    assert capsys.readouterr().err.count("passed over") == 2
    console.forget()
    console.note_once("a has none; passed over")
    assert "a has none" in capsys.readouterr().err

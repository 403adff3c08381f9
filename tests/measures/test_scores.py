"""The strict reading takes one answer or none; the published one takes whatever it finds."""

import pytest

from latentlab.measures.scores import lenient_match, parse_answer

LETTERS = "ABCD"
TEXTS = ["red circle", "red square", "a cat.", "Circle"]


@pytest.mark.parametrize(
    ("said", "choice"),
    [
        ("B", 1),
        (" B ", 1),
        ("(C)", 2),
        ("(C", 2),
        ("D)", 3),
        ("A.", 0),
        ("A:", 0),
        ("B. a cat", 1),
        ("B\nbecause", 1),
        ("A cat", None),
        ("A and B", None),
        ("E", None),
        ("b", None),
        ("", None),
        ("Because", None),
        ("AB", None),
        ("is B", None),
        ("red circle", None),
        ("1", None),
    ],
)
def test_a_letter_has_to_come_first_and_alone(said, choice):
    assert parse_answer(said, LETTERS, "letter") == choice


@pytest.mark.parametrize(
    ("said", "choice"),
    [
        ("red circle", 0),
        ("Red  Circle.", 0),
        (" red\nsquare ", 1),
        ("a cat", 2),
        ("circle", 3),
        ("red", None),
        ("red circle red square", None),
        ("A", None),
        ("", None),
    ],
)
def test_a_text_has_to_be_one_choice_entirely(said, choice):
    assert parse_answer(said, TEXTS, "text") == choice


def test_choices_that_read_alike_are_ambiguous():
    assert parse_answer("cat", ["Cat", "cat."], "text") is None
    assert parse_answer("anything", [], "text") is None
    assert parse_answer("A", [], "letter") is None


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("Answer: B", "B"),
        ("the answer is (C", "C"),
        ("Answer: According to this, the answer is B", "AB"),
        ("Answer: A. No, Answer: D", "AD"),
        ("I say B", ""),
        ("answer: B", ""),
        ("Answer:B", "B"),
        ("", ""),
    ],
)
def test_the_lenient_score_counts_every_letter_found(text, letters):
    assert {letter for letter in LETTERS if lenient_match(text, letter)} == set(letters)

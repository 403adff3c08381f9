"""The strict reading takes one answer or none; the published ones take whatever they find."""

import pytest

from latentlab.measures.scores import (
    lenient_match,
    official_m3cot,
    parse_answer,
    scienceqa_index,
    strict_choice,
)

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
        ("the answer is (C", ""),
        ("Answer: According to this, the answer is B", "AB"),
        ("Answer: A. No, Answer: D", "AD"),
        ("the answer is because of", "B"),
        ("I say B", ""),
        ("answer: b", "B"),
        ("an answer is B", ""),
        ("Answer:B", "B"),
        ("", ""),
    ],
)
def test_the_lenient_score_counts_every_letter_found(text, letters):
    assert {letter for letter in LETTERS if lenient_match(text, letter)} == set(letters)


PETS = ["a cat", "a dog", "a Fish", "a red cat"]


@pytest.mark.parametrize(
    ("reply", "letter", "step"),
    [
        # the part that counts
        ("(A) [Answer] (B) [Rationale] (C)", "B", "brackets"),
        ("[Answer] (A) [Answer] (B) [Context] (C)", "B", "brackets"),
        ("(A) [Answer] no idea", "", "none"),
        ("(A) [Rationale] (C)", "C", "brackets"),
        # the last letter in brackets
        ("(A) and not (b)", "B", "brackets"),
        ("it is (Z)", "Z", "brackets"),
        ("(A) it is a dog", "A", "brackets"),
        ("(AB) it is a dog", "B", "choice text"),
        # the last choice that occurs, in the order of the choices
        ("A DOG. Or a cat?", "B", "choice text"),
        ("a fish", "C", "choice text"),
        ("a red cat", "D", "choice text"),
        ("B. a cat", "A", "choice text"),
        # a capital as a word
        ("B, not A.", "B", "capital"),
        ("Answer: C!", "C", "capital"),
        ("is it D?\nA", "D", "capital"),
        ("AB E", "", "none"),
        ("[A]", "", "none"),
        ("B</s>", "", "none"),
        # a small letter as a word
        ("that is a question", "A", "small letter"),
        ("b. or a", "B", "small letter"),
        ("C, not d", "C", "capital"),
        # nothing
        ("Sorry.", "", "none"),
        ("", "", "none"),
    ],
)
def test_the_official_rule_goes_on_until_something_is_found(reply, letter, step):
    assert official_m3cot(reply, PETS) == (letter, step)


def test_the_official_rule_knows_six_letters_and_no_choice_beyond():
    eight = [f"choice number {i}" for i in range(8)]
    assert official_m3cot("F", eight) == ("F", "capital")
    assert official_m3cot("G", eight) == ("", "none")
    assert official_m3cot("choice number 7", eight) == ("", "none")


@pytest.mark.parametrize(
    ("reply", "index"),
    [
        ("Therefore, the answer is 2", 2),
        ("The Answer Is 1.", 1),
        ("the answer is B", 1),
        ("the answer is (B)", None),
        ("the answer is cat", 2),
        ("the answer is cat. answer is: 0", 0),
        ("answer is: 3", 3),
        ("answer is1", 1),
        ("the answer is 1. the answer is 2", 1),
        ("the answer is 1. Therefore the answer is 2", 2),
        ("the answer is", None),
        ("the answer: 2", None),
        ("2", None),
        ("", None),
    ],
)
def test_the_index_is_a_digit_right_after_the_phrase_or_else_a_letter(reply, index):
    assert scienceqa_index(reply) == index


@pytest.mark.parametrize(
    ("reply", "form", "choice"),
    [
        ("a dog. Answer: B", "letter", 1),
        ("Answer: A. Answer: B</s>", "letter", 1),
        ("B<|im_end|>\n", "letter", 1),
        ("(D) a red cat</s>", "letter", 3),
        ("it is (D)", "letter", None),
        ("Answer: E", "letter", None),
        ("a cat Answer: a dog</s>", "text", 1),
        ("a dog it is", "text", None),
        ("Answer: 2", "index", 2),
        ("Answer: 4", "index", None),
    ],
)
def test_a_whole_reply_is_read_after_its_last_marker(reply, form, choice):
    assert strict_choice(reply, PETS, form, "Answer:") == choice

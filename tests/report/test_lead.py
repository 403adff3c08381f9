"""The first screen says what results say, and no more than their intervals allow."""

import re

import pytest

from latentlab.console import MINUS
from latentlab.report.answers import answer_to
from latentlab.report.cast import IN_QUESTION, cast, in_question
from latentlab.report.lead import answer
from latentlab.report.questions import QUESTIONS
from latentlab.report.wording import change, interval, number
from tests.report.made import arm, calibration, ends, knock_outs, results


def told(found):
    return {one.head: one.text for one in answer(found, in_question(found))}


@pytest.mark.parametrize(
    ("delta", "half", "word"),
    [
        (-0.78, 0.02, "yes"),
        (-0.1, 0.02, "in part"),
        (0.1, 0.02, "no, they stand in its way"),
        (0.0, 0.005, "no"),
        (-0.01, 0.09, "not that we could see"),
    ],
)
def test_the_answer_goes_as_far_as_its_interval(delta, half, word):
    found = {"knockouts": results("ablate", knock_outs("mine", delta, half))}
    text = told(found)["Found."]
    assert text.startswith(f"mine: {word}. ")
    if delta <= -0.1 or delta >= 0.1:
        assert f"{number(80 + 100 * delta)} % [" in text
    else:
        assert f"changes by {change(arm('mine', '', delta, half))}" in text
        assert "more than 2.3 points would have shown" in text


def test_what_depends_on_positions_is_not_taken_for_content():
    found = {"knockouts": results("ablate", knock_outs("mine", -0.78))}
    text = told(found)["Which part."]
    # The least of what three rules cost, and for vision the rule that costs something.
    assert "without its latent text it loses at least 65.0 points [63.0, 67.0]" in text
    assert f"changes nothing we could measure, {MINUS}0.2 points" in text
    assert f"({MINUS}20.0 points [{MINUS}22.0, {MINUS}18.0] when leaving a hole" in text
    sentence = answer_to("content", found, ["mine"]).sentence
    assert "latent text: content (harm however it is taken away)" in sentence
    assert "latent vision: positions (harm when leaving a hole)" in sentence


def test_how_sure_it_is_comes_from_the_calibration():
    assert told({"calibration": calibration()})["How sure."].startswith(
        "2 of 2 readings tell 2 models apart"
    )
    doubtful = told({"calibration": calibration(broken=True, sham=0.5)})["How sure."]
    assert doubtful.startswith("1 of 2 readings") and "up to 0.5, which must be 0" in doubtful
    sentence = answer_to("trust", {"calibration": calibration(broken=True)}, []).sentence
    assert "1 of 2" in sentence and "believed nowhere: ablate: drop" in sentence


def test_without_results_nothing_is_said():
    assert answer({}, []) == [] and cast({}) == []
    assert all(answer_to(one.anchor, {}, []).sentence == "" for one in QUESTIONS)
    only = {"knockouts": results("ablate", [arm("mine", "none", 0.0)])}
    assert told(only) == {}


def test_an_organism_is_described_as_one_and_a_users_model_by_its_checkpoint():
    lines = [*knock_outs("mine", -0.1), *knock_outs("relay", -0.78), *knock_outs("bypass", 0.0)]
    found = {"any folder": results("ablate", lines, mine={"steps": 2, "k": 0, "text": True})}
    members = cast(found)
    assert [one.name for one in members] == ["mine", "relay", "bypass"]
    assert [one.role for one in members] == [IN_QUESTION, "positive control", "negative control"]
    assert "2 latent steps, each of its last hidden state; checkpoint ffffffffff" in members[0].line
    assert members[0].asked == "400, four hops"
    assert in_question(found) == ["mine"]
    # A model that is merely called so is no organism.
    found["any folder"].run["checkpoints"]["relay"] = "0" * 64
    assert in_question(found) == ["mine", "relay"]


def test_a_change_has_a_sign_that_is_a_true_minus():
    assert change(ends("delta", -0.002, 0.02)) == "−0.2 points [−2.2, +1.8]"
    assert interval(ends("value", 0.0, 0.0), "value", sign=True) == "0.0 [0.0, 0.0]"
    assert number(-0.04) == "0.0" and number(1234.5) == "1,234.5"
    found = {"knockouts": results("ablate", knock_outs("mine", -0.78))}
    for one in QUESTIONS:
        table = answer_to(one.anchor, found, ["mine"]).table
        assert table is None or not re.search(r"-\d", str(table.rows))

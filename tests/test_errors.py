import pytest

from latentlab.errors import UserError, did_you_mean

ORGANISMS = ("relay", "gaze", "ivtlr", "bypass", "filler")


def test_message_is_one_line():
    assert str(UserError("no model\n   'relai':\tsee --model")) == "no model 'relai': see --model"


@pytest.mark.parametrize("name", ORGANISMS)
def test_one_wrong_letter_is_recognised(name):
    assert did_you_mean(name[:-1] + "x", ORGANISMS) == f"did you mean '{name}'?"


def test_otherwise_everything_known_is_named():
    hint = did_you_mean("transformer", ORGANISMS)
    assert all(name in hint for name in ORGANISMS)
    assert did_you_mean("transformer", ()) == "nothing is known here"

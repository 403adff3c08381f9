"""Rationales become at most three steps by the published rule, and no word of them is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentlab.data.rationale import split_steps


@pytest.mark.parametrize(
    ("rationale", "steps"),
    [
        ("", ()),
        ("One.", ("One.",)),
        ("One. Two", ("One", "Two")),
        ("One.\nTwo. ", ("One", "Two.")),
        (" One. Two. Three. ", ("One", "Two", "Three.")),
        ("a. b. c. d", ("a. b", "c", "d")),
        ("a. b. c. d. e", ("a. b", "c. d", "e")),
        ("a. b. c. d. e. f", ("a. b", "c. d", "e. f")),
        ("See e.g. this.Or that", ("See e.g", "this.Or that")),
    ],
)
def test_steps_are_those_of_the_rule(rationale, steps):
    assert split_steps(rationale) == steps


@given(st.lists(st.text("abc ,", min_size=1).map(str.strip).filter(bool), min_size=1, max_size=20))
def test_runs_are_consecutive_and_as_equal_as_can_be(sentences):
    steps = split_steps(". ".join(sentences))
    assert ". ".join(steps) == ". ".join(sentences)
    sizes = [step.count(". ") + 1 for step in steps]
    assert len(steps) == min(3, len(sentences))
    assert max(sizes) - min(sizes) <= 1
    assert sizes == sorted(sizes, reverse=True)
    assert split_steps(". ".join(sentences), most=1) == (". ".join(sentences),)

"""Plans as people write them: fields on the command line, and files."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentlab.errors import UserError
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.plan_text import read_plan

BLOCKED = (("answer", "image"), ("latent_text", "prompt"))


def as_text(plan: LatentPlan) -> str:
    """Every field of a plan, as it would be typed."""

    def said(name: str, value: object) -> str:
        if name == "blocked":
            return "+".join("-".join(pair) for pair in value)
        if name == "select_layers" and value is not None:
            return "+".join(map(str, value))
        return value if isinstance(value, str) else json.dumps(value)

    values = dataclasses.asdict(plan).items()
    return ",".join(f"{name}={said(name, value)}" for name, value in values if value != ())


@given(
    steps=st.integers(0, 5),
    k=st.integers(0, 40),
    reuse=st.booleans(),
    stride=st.none() | st.integers(1, 9),
    select_layers=st.none() | st.lists(st.integers(0, 9), min_size=1, unique=True).map(tuple),
    select=st.sampled_from(["random", "given", "all"]),
    blocked=st.sampled_from([(), BLOCKED[:1], BLOCKED]),
    markers=st.sampled_from([(None, None), ("<|start|>", "<end>"), (7, 9)]),
)
def test_fields_read_back_as_the_plan_they_are_of(markers, **fields):
    plan = LatentPlan(**fields, start_token=markers[0], end_token=markers[1])
    assert read_plan(as_text(plan)) == plan


def test_a_file_holds_a_plan_or_the_settings_of_a_checkpoint(tmp_path):
    plan = LatentPlan(steps=2, k=1, blocked=BLOCKED, select="random")
    for name, values in (
        ("plan.json", plan.to_dict()),
        ("latentlab.json", {"plan": plan.to_dict()}),
    ):
        path = tmp_path / name
        path.write_text(json.dumps(values))
        assert read_plan(str(path)) == plan


def test_what_is_not_named_has_its_default():
    assert read_plan("steps=1") == LatentPlan(steps=1)
    assert read_plan(" steps = 1 , k = 0 ") == LatentPlan(steps=1, k=0)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("steps=1,,k=2", "'' is not understood"),
        ("steps=", "'steps=' is not understood"),
        ("blocked=answer", "give a list of 2"),
        ("blocked=answer-sky", "no positions are called 'sky'"),
        ("select_layers=a+1", "select_layers 1 is 'a'; give a whole number"),
        ("k=2.5", "k is 2.5; give a whole number"),
        ("k=true", "k is true; give a whole number"),
        ("stride=0.5", "stride is 0.5; give a whole number"),
    ],
)
def test_says_what_is_wrong_and_in_which_plan(text, complaint):
    with pytest.raises(UserError, match=complaint) as error:
        read_plan(text)
    assert str(error.value).startswith(f"--plan {text}")

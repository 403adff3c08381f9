"""What an arm does stands in its fields; its name and the columns of its rows are made of them."""

from dataclasses import FrozenInstanceError

import pytest

from latentlab.study.arms import Arm
from latentlab.vocabulary import EMPTY, FROZEN, steps_label

NAMES = [
    (Arm(), "none"),
    (Arm("drop", "latent"), "drop latent"),
    (Arm("drop", "latent_vision", (2,)), "drop latent_vision at step 2"),
    (Arm("drop", "latent_text", (1, 2, 3)), "drop latent_text at step 1..3"),
    (
        Arm("drop", "latent_text", (1, 3), context="frozen"),
        f"drop latent_text at step 1, 3{FROZEN}",
    ),
    (Arm("drop", "latent_text", (1,), context="remade"), "drop latent_text at step 1"),
    (Arm("replace", "latent", source="zero"), "zero latent"),
    (Arm("replace", "latent_text", (2,), "noise", 0.5), "noise 0.5 latent_text at step 2"),
    (Arm("replace", "latent", source="noise", strength=3.0), "noise 3 latent"),
    (Arm("sham", "latent"), "sham latent"),
    (Arm("steps", strength=4), "steps=4"),
    (Arm("k", strength=0), "k=0"),
    (Arm("select", source="random"), "select random"),
    (Arm("select", source="bottom", strength=3), "select bottom, k=3"),
    (Arm("other", label="again"), "again"),
    (Arm("replace", "latent", source="zero", label="mine"), "mine"),
    (Arm("none", label="mine"), "mine"),
]


@pytest.mark.parametrize(("arm", "name"), NAMES, ids=[name for _, name in NAMES])
def test_a_name_says_what_is_done_to_which_part_at_which_step(arm, name):
    assert arm.name == arm.base == name
    assert arm.control_of == ""
    assert arm.facts["intervention"] == name


def test_a_control_is_named_after_what_it_is_a_control_of():
    treatment = Arm("drop", "latent_vision", (2,))
    control = Arm("drop", "latent_vision", (2,), control=EMPTY)
    assert control.base == control.control_of == treatment.name
    assert control.name == f"{treatment.name}: {EMPTY}"
    own = Arm("other", label="mine", control="theirs")
    assert (own.name, own.control_of) == ("mine: theirs", "mine")


def test_rows_are_told_what_the_fields_say():
    arm = Arm(
        "replace", "latent_text", (1, 2), "noise", 0.5, "at prompt", kind="control",
        context="frozen", positions="held", draws=4, draw=2,
    )  # fmt: skip
    base = f"noise 0.5 latent_text at step 1..2{FROZEN}"
    assert arm.facts == {
        "intervention": f"{base}: at prompt",
        "kind": "control",
        "control_of": base,
        "action": "replace",
        "part": "latent_text",
        "steps": "1..2",
        "source": "noise",
        "strength": 0.5,
        "control": "at prompt",
        "positions": "held",
        "context": "frozen",
        "draws": 4,
    }


def test_what_does_not_apply_is_empty():
    facts = Arm().facts
    assert facts.pop("strength") != facts.get("strength")  # not a number
    assert (facts.pop("intervention"), facts.pop("kind"), facts.pop("action")) == ("none",) * 3
    assert facts.pop("draws") == 1
    assert set(facts.values()) == {""}
    assert Arm("drop", "latent").facts["steps"] == "all"
    assert Arm("steps", strength=2).facts["steps"] == ""


def test_draws_of_an_arm_have_one_name():
    first, second = (Arm("replace", "latent", None, "noise", 1.0, draws=2, draw=i) for i in (0, 1))
    assert first.name == second.name
    assert first.facts == second.facts


def test_names_are_derived_and_not_given():
    with pytest.raises(TypeError):
        Arm(name="mine")
    with pytest.raises(FrozenInstanceError):
        Arm().label = "mine"


@pytest.mark.parametrize(
    ("steps", "label"),
    [(None, "all"), ((2,), "2"), ((1, 2), "1..2"), ((2, 3, 4), "2..4"), ((1, 3), "1, 3")],
)
def test_steps_are_named_as_people_write_them(steps, label):
    assert steps_label(steps) == label

"""Differences to matched controls, question by question, by hand."""

import pandas as pd
import pytest

from latentlab.figures.against import accuracy_beyond, recovery_beyond, with_controls

CONTROL = "text 1: from an unrelated question"
OUTCOMES = ["hit", "patched"]


def rows(patched, control, hits=((True, True), (False, True))):
    """Rows of two questions under one intervention and its control."""
    lines = []
    for slot, of, values, hit in (
        ("text 1", "", patched, hits[0]),
        (CONTROL, "text 1", control, hits[1]),
    ):
        for i, value in enumerate(values):
            lines.append(("m", "restore", "resid", 0, 1, None, slot, f"e{i}", of, value, hit[i]))
    columns = ["model", "mode", "component", "layer", "layers", "head", "slot", "example"]
    made = pd.DataFrame(lines, columns=[*columns, "control_of", "patched", "hit"])
    return made.assign(clean=4.0, corrupt=-4.0).astype({"head": "Int64"})


def test_each_question_stands_beside_its_own_control():
    shuffled = rows([1.0, 2.0], [3.0, 4.0]).iloc[[3, 0, 2, 1]]
    pairs = with_controls(shuffled, ["patched"]).sort_values("example")
    assert pairs["patched"].tolist() == [1, 2]
    assert pairs["patched_control"].tolist() == [3, 4]
    assert set(pairs["slot"]) == {"text 1"}


def test_what_was_done_twice_to_a_question_is_refused():
    twice = rows([1.0, 2.0], [3.0, 4.0])
    with pytest.raises(pd.errors.MergeError):
        with_controls(pd.concat([twice, twice]), ["patched"])


def test_what_has_no_control_is_left_out():
    alone = rows([1.0, 2.0], [3.0, 4.0])
    assert with_controls(alone[alone["control_of"] == ""], ["patched"]).empty


def test_recovery_beyond_the_control_is_a_share_of_the_way():
    pairs = with_controls(rows([4.0, 4.0], [0.0, 0.0]), ["patched"])
    beyond = recovery_beyond(pairs)
    assert beyond.mean == pytest.approx(0.5)
    assert beyond.n == 2
    assert recovery_beyond(pairs.assign(clean=pairs["corrupt"])) is None


def test_accuracy_beyond_the_control_is_after_minus_control():
    pairs = with_controls(rows([1.0, 2.0], [3.0, 4.0], ((False, True), (True, True))), OUTCOMES)
    assert accuracy_beyond(pairs).mean == pytest.approx(-0.5)


def test_there_is_no_difference_where_both_leave_the_same_logits():
    pairs = with_controls(rows([1.0, 2.0], [1.0, 2.0], ((True, True), (True, True))), OUTCOMES)
    assert accuracy_beyond(pairs) is None

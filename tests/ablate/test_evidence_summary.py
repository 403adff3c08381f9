"""What latents supply, by hand on a few rows."""

import numpy as np
import pandas as pd
import pytest

from latentlab.ablate.evidence_summary import evidence_lines
from latentlab.measures.changes import accuracy_difference
from latentlab.measures.statistics import accuracy_interval


def rows_of(evidence, vision, text, right, positions="", name=None):
    """Answers to the questions a, b, ...; of these a alone has its needed cell not picked."""
    return [
        {
            "model": "m",
            "data": "d",
            "example": example,
            "domain": "x",
            "intervention": name or f"{evidence} {vision} {text} {positions}",
            "evidence": evidence,
            "vision_slots": vision,
            "text_slots": text,
            "positions": positions,
            "needed_cell_picked": example != "a",
            "correct": bool(correct),
            "correct_likelihood": True,
        }
        for example, correct in zip("abcd", right, strict=False)
    ]


ROWS = [
    *rows_of("shown", "own", "own", [1, 1, 1, 0], name="none"),
    *rows_of("masked", "own", "remade", [0, 1, 1, 1]),
    *rows_of("masked", "empty", "remade", [0, 0, 1, 0], "kept"),
    *rows_of("masked", "empty", "remade", [1, 1, 1, 1], "closed"),
    *rows_of("masked", "own", "own", [1, 1, 1, 1]),
    *rows_of("masked", "empty", "own", [0, 0, 0, 0], "held"),
    *rows_of("", "", "", [1, 1, 1, 1], name="another arm"),
]


def line(lines, **values):
    for name, value in ({"domain": "all", "needed_cell": "all"} | values).items():
        lines = lines[lines[name] == value]
    (found,) = (found for _, found in lines.iterrows())
    return found


def test_supply_is_what_stands_above_the_same_slots_kept_empty():
    lines = evidence_lines(pd.DataFrame(ROWS))
    own = line(lines, evidence="masked", vision_slots="own", text_slots="remade")
    right, wanted = [0, 1, 1, 1], accuracy_difference([0, 1, 1, 1], [0, 0, 1, 0])
    ends = accuracy_interval(right)
    assert (own["n"], own["accuracy"], own["accuracy_low"]) == (4, 0.75, ends.low)
    assert (own["supplied"], own["supplied_low"]) == (wanted.mean, wanted.low)
    assert own["delta"] == 0
    assert own["likelihood"] == 1
    picked = line(lines, evidence="masked", vision_slots="own", text_slots="remade",
                  needed_cell="picked")  # fmt: skip
    assert (picked["n"], picked["supplied"]) == (3, pytest.approx(2 / 3))


def test_where_slots_cannot_be_kept_leaving_them_out_takes_their_place():
    own = line(evidence_lines(pd.DataFrame(ROWS)), evidence="masked", text_slots="own",
               vision_slots="own")  # fmt: skip
    assert own["supplied"] == 1


def test_empty_slots_supply_nothing_and_other_arms_are_left_out():
    lines = evidence_lines(pd.DataFrame(ROWS))
    empty = lines[lines["vision_slots"] == "empty"]
    assert np.isnan(empty["supplied"]).all()
    assert "" not in set(lines["evidence"])
    assert not lines.duplicated(["evidence", "vision_slots", "text_slots", "positions", "domain",
                                 "needed_cell"]).any()  # fmt: skip

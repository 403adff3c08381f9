"""Examples refuse contradictions, and counterfactuals follow from the trace alone."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentlab.data import Example, Trace, counterfactual_answer, counterfactual_cells, traced
from latentlab.data.example import LONGEST
from latentlab.errors import UserError

CELLS = 6
OBJECTS = tuple("abcdef")

links_of_any_kind = st.tuples(*[st.integers(0, CELLS - 1)] * CELLS)
starts = st.integers(0, CELLS - 1)


def example_of(trace: Trace, hops: int) -> Example:
    return Example("x", "?", (), trace.at(hops), None, hops=hops, trace=trace)


examples = st.builds(
    lambda start, links, hops: example_of(Trace.from_start(start, OBJECTS, links), hops),
    starts,
    links_of_any_kind,
    st.integers(1, LONGEST),
)


@given(starts, links_of_any_kind, st.integers(0, LONGEST))
def test_trace_lists_the_cells_that_links_lead_to(start, links, hops):
    trace = Trace.from_start(start, OBJECTS, links)
    assert len(trace.cells) == LONGEST + 1
    assert trace.cells[hops] == trace.follow(start, hops)
    assert trace.at(hops) == OBJECTS[trace.cells[hops]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"links": (1, 0)}, "one link"),
        ({"scans": (("a",), ("b",))}, "2 of 3 cells"),
        ({"objects": ("a", "a", "b")}, "object of its own"),
        ({"links": (1, 2, 3)}, "0 to 2"),
        ({"cells": (-1, 2, 0, 1, 2, 0, 1, 2, 0)}, "0 to 2"),
        ({"cells": (0, 1, 2)}, "8 links"),
        ({"cells": (0, 1, 2, 0, 1, 2, 0, 1, 1)}, "8 links"),
        ({"cells": ()}, "8 links"),
    ],
)
def test_trace_refuses_contradictions(changes, message):
    trace = Trace.from_start(0, ("a", "b", "c"), (1, 2, 0))
    with pytest.raises(UserError, match=message):
        replace(trace, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"answer": "zebra"}, "'zebra' is not among"),
        ({"choices": ("b", "b")}, "same text"),
        ({"choices": ("b", *map(str, range(26)))}, "more than there are letters"),
        ({"hops": 0}, "must be 1 to 8"),
        ({"hops": LONGEST + 1}, "must be 1 to 8"),
        ({"hops": 2}, "trace does not lead"),
    ],
)
def test_example_refuses_contradictions_and_names_itself(changes, message):
    trace = Trace.from_start(0, ("a", "b", "c"), (1, 2, 0))
    example = Example("number 7", "?", ("b", "c"), "b", None, hops=1, trace=trace)
    with pytest.raises(UserError, match=f"number 7.*{message}"):
        replace(example, **changes)


def test_an_answer_may_be_unknown():
    assert Example("x", "?", ("no", "yes"), "", None).answer == ""


def test_letter_is_that_of_the_right_option():
    assert Example("x", "?", ("no", "yes"), "yes", None).letter == "B"
    with pytest.raises(UserError, match="without choices"):
        _ = Example("x", "?", (), "yes", None).letter


@given(examples)
def test_no_change_is_no_counterfactual(example):
    trace, hops = traced(example)
    for hop in range(hops + 1):
        assert counterfactual_answer(example, hop, trace.cells[hop]) == example.answer


@given(examples)
def test_changed_walk_and_changed_mark_agree_on_the_cells_listed(example):
    trace, hops = traced(example)
    for hop in range(1, hops + 1):
        for cell in counterfactual_cells(example, hop):
            links = list(trace.links)
            links[trace.cells[hop - 1]] = cell
            changed = Trace.from_start(trace.cells[0], trace.objects, tuple(links))
            assert changed.at(hops) == counterfactual_answer(example, hop, cell)
            assert changed.at(hops) != example.answer


def test_counterfactuals_need_a_hop_a_cell_and_a_trace():
    example = example_of(Trace.from_start(0, OBJECTS, (1, 2, 3, 4, 5, 0)), 3)
    with pytest.raises(UserError, match="no hop 4, choose 0 to 3"):
        counterfactual_answer(example, 4, 0)
    with pytest.raises(UserError, match="no cell 6, choose 0 to 5"):
        counterfactual_answer(example, 1, 6)
    with pytest.raises(UserError, match="no hop 0, choose 1 to 3"):
        counterfactual_cells(example, 0)
    with pytest.raises(UserError, match="no trace"):
        counterfactual_answer(replace(example, trace=None), 1, 0)

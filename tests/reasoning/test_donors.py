"""Donors are dealt evenly, within groups, to everyone but themselves, and whatever the batch."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentlab.errors import UserError
from latentlab.reasoning.donors import Donors

PEOPLE = {f"e{i}": "ab"[i % 2] for i in range(41)}
OTHERS = {f"r{i}": "ab"[i % 2] for i in range(14)}


def test_within_a_group_uses_differ_by_one_at_most():
    names = Donors(PEOPLE, OTHERS).names(list(PEOPLE), 0)
    pairs = dict(zip(PEOPLE, names, strict=True))
    assert all(PEOPLE[example] == OTHERS[lender] for example, lender in pairs.items())
    for group in "ab":
        uses = Counter(pairs[example] for example, of in PEOPLE.items() if of == group)
        assert len(uses) == 7
        assert max(uses.values()) - min(uses.values()) <= 1


def test_anyone_may_lend_where_groups_do_not_count_or_have_no_reference():
    names = Donors(PEOPLE, OTHERS).ungrouped().names(list(PEOPLE), 0)
    assert any(PEOPLE[e] != OTHERS[name] for e, name in zip(PEOPLE, names, strict=True))
    assert set(Counter(names).values()) == {2, 3}
    strangers = Donors({"x": "c", "y": "a"}, OTHERS).names(["x", "y"], 0)
    assert set(strangers) < set(OTHERS)
    assert OTHERS[strangers[1]] == "a"


def test_a_donor_depends_on_the_study_and_the_seed_and_on_no_batch():
    donors, everyone = Donors(PEOPLE, OTHERS), list(PEOPLE)
    whole = donors.of(everyone, 3)
    assert [donors.of([example], 3)[0] for example in everyone] == whole
    assert donors.of(everyone[::-1], 3) == whole[::-1]
    assert Donors(PEOPLE, OTHERS).of(everyone, 3) == whole
    assert donors.of(everyone, 4) != whole


@given(st.integers(2, 9), st.integers(0, 5), st.booleans())
def test_nobody_lends_to_itself_even_where_all_lend_to_all(n, seed, grouped):
    people = {f"e{i}": str(i % 3) if grouped else "" for i in range(n)}
    names = Donors(people, people).names(list(people), seed)
    assert all(example != name for example, name in zip(people, names, strict=True))
    if not grouped:
        assert sorted(names) == sorted(people)


def test_what_cannot_be_dealt_is_refused():
    with pytest.raises(UserError, match="at least two examples"):
        Donors({"a": ""}, {"a": ""}).of(["a"], 0)
    with pytest.raises(UserError, match="at least two examples"):
        Donors({"a": ""}, {}).of(["a"], 0)
    with pytest.raises(UserError, match="not among the recipients"):
        Donors({"a": ""}, {"b": ""}).of(["c"], 0)

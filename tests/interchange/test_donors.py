"""Donors differ from their recipients in what their rule says, and in nothing else."""

from collections import Counter
from dataclasses import replace

import pytest

from latentlab.data import Benchmark, CachedExamples, Examples, LazyExamples, load_data
from latentlab.data.pairs import RULES, expected_answer, match, start_cells
from latentlab.data.sequence import Subset
from latentlab.errors import UserError
from latentlab.interchange.donors import check_donors


@pytest.fixture(scope="module")
def data() -> Examples:
    """Enough questions of one domain that most have a donor of every kind."""
    return CachedExamples(load_data("benchmark:domain=letters,hops=3+4", limit=40))


@pytest.fixture(scope="module")
def untraced(data) -> Examples:
    return LazyExamples([lambda i=i: replace(data[i], trace=None) for i in range(len(data))])


def walk(names, links, start: str, hops: int) -> str:
    """Follow marks by name, one at a time."""
    for _ in range(hops):
        start = names[links[names.index(start)]]
    return start


@pytest.mark.parametrize("hops", [1, 4, 7, 8])
def test_donors_on_the_same_picture_differ_at_every_hop(hops):
    examples = load_data(f"benchmark:hops={hops}", limit=6)
    pairs = match("same_image", examples)
    assert (len(pairs), pairs.left_out) == (6, 0)
    for recipient, donor in pairs:
        assert donor.image is recipient.image or donor.image == recipient.image
        assert donor.question != recipient.question
        for hop in range(hops + 1):
            assert donor.trace.at(hop) != recipient.trace.at(hop)
        shared = set(donor.trace.cells[: hops + 1]) & set(recipient.trace.cells[: hops + 1])
        # Of 16 cells in a cycle, two walks of eight cells can keep apart, and two of nine cannot.
        assert len(shared) == (2 if hops == 8 else 0)


def test_walks_that_meet_are_no_donors():
    example = Benchmark().relink(0, 1, 5)  # no longer one cycle, so that walks run together
    own = [example.trace.at(hop) for hop in range(5)]
    cells = start_cells(example)
    assert cells
    for start in range(16):
        names, links = example.trace.objects, example.trace.links
        theirs = [walk(names, links, names[start], hop) for hop in range(5)]
        meets = any(a == b for a, b in zip(own, theirs, strict=True))
        assert not (meets and start in cells)


def test_expected_answers_are_those_of_a_walk_from_the_donors_object(data):
    defined = 0
    for rule in RULES:
        for recipient, donor in match(rule, data):
            trace = recipient.trace
            for step in range(1, recipient.hops + 3):
                hop = min(step, recipient.hops)
                name = walk(donor.trace.objects, donor.trace.links, donor.trace.at(0), hop)
                found = expected_answer(recipient, donor, step)
                if name not in trace.objects:
                    assert found is None
                    continue
                defined += rule == "unrelated"
                assert found == walk(trace.objects, trace.links, name, recipient.hops - hop)
                if rule in ("same_image", "self"):
                    assert found == donor.answer
    assert defined


def test_nothing_is_expected_without_traces(data, untraced):
    assert expected_answer(data[0], untraced[0], 1) is None
    assert expected_answer(untraced[0], data[0], 1) is None


def test_each_control_lacks_one_thing(data):
    for rule in RULES:
        pairs = match(rule, data)
        assert len(pairs) + pairs.left_out == len(data)
        assert len(pairs) >= 10
        for recipient, donor in pairs:
            assert (recipient.domain, recipient.hops) == (donor.domain, donor.hops)
            same_picture = recipient.image == donor.image
            same_answer = recipient.answer == donor.answer
            assert same_picture == (rule in ("same_image", "self"))
            assert same_answer == (rule in ("same_answer", "self"))
            assert (recipient.question == donor.question) == (rule == "self") or not same_picture


def test_recipients_offer_every_answer_in_question(data):
    for rule in RULES:
        for recipient, donor in match(rule, data):
            expected = [expected_answer(recipient, donor, t) for t in range(1, recipient.hops + 1)]
            wanted = {recipient.answer, donor.answer, *expected} - {None}
            assert wanted <= set(recipient.choices)
            assert len(recipient.choices) == max(4, len(wanted))
            if rule == "same_image":
                assert recipient.choices == donor.choices
    original = {example.id: example for example in data}
    for recipient, _ in match("self", data):
        assert recipient == original[recipient.id]


def test_a_donor_depends_on_the_seed_and_the_treatment_on_nothing_else(data):
    def ids(pairs):
        return [donor.id for _, donor in pairs]

    for rule in ("same_image", "unrelated"):
        assert ids(match(rule, data, 3)) == ids(match(rule, data, 3))
        assert ids(match(rule, data, 3)) != ids(match(rule, data, 4))
    backwards = Subset(data, range(len(data))[::-1])
    assert ids(match("same_image", backwards)) == ids(match("same_image", data))[::-1]


def test_another_question_on_the_same_picture_is_not_unrelated(data):
    moved = [Benchmark().restart(data[0], cell) for cell in start_cells(data[0])]
    same = [lambda e=e: e for e in (data[0], *moved)]
    assert len(match("unrelated", LazyExamples(same))) == 0
    assert len(match("unrelated", LazyExamples([*same, lambda: data[2]]))) > 0


def test_asking_from_another_start_needs_traces_and_the_benchmarks_words(data, untraced):
    assert start_cells(data[0])
    assert start_cells(untraced[0]) == []
    assert start_cells(replace(data[0], question="Where does it end?")) == []


def test_rules_without_donors_are_told_and_refused_if_none_is_left(data, untraced):
    told = []
    check_donors(RULES, untraced, 0, told.append)
    assert len(told) == 2
    assert "--donor same_answer: " in told[0]
    assert "--donor same_image needs traces" in told[1]
    with pytest.raises(UserError, match="--donor same_image needs traces"):
        check_donors(["same_image"], untraced, 0, told.append)
    with pytest.raises(UserError, match="--donor unrelated needs questions"):
        check_donors(["unrelated"], data[:1], 0, told.append)


def test_an_unknown_rule_is_answered_with_all_rules(data):
    with pytest.raises(UserError, match="same_image, unrelated, same_answer, self"):
        match("same_picture", data)


def test_no_donor_is_used_twice_while_another_one_was_not(data):
    for rule in ("unrelated", "same_answer"):
        uses = Counter(donor.id for _, donor in match(rule, data))
        assert max(uses.values()) <= (2 if rule == "unrelated" else 3)
    pairs = match("unrelated", data)
    assert len({donor.id for _, donor in pairs}) >= 0.9 * len(pairs)

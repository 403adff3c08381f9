"""Partners differ as their rule says, are the same in any company, and answer otherwise."""

import dataclasses

import pytest

from latentlab.data import load_data
from latentlab.errors import UserError
from latentlab.patch.pairs import pairs_of, rule_for


@pytest.fixture(scope="module")
def data():
    return load_data("benchmark:domain=letters", limit=8)


@pytest.fixture(scope="module")
def whole():
    return load_data("benchmark:domain=letters")


@pytest.mark.parametrize("rule", ["auto", "same_image", "same_question", "unrelated"])
def test_both_answers_are_options_and_differ(qwen, data, whole, rule):
    pairs = pairs_of(rule, data, qwen.prompter, 0, whole)
    assert [pair.clean.id for pair in pairs] == [example.id for example in data]
    for pair in pairs:
        for side, option in ((pair.clean, pair.clean_option), (pair.corrupt, pair.corrupt_option)):
            token = qwen.prompter.answer_ids(side.answer)[0]
            assert pair.options[option] == token
        assert pair.clean_option != pair.corrupt_option
        assert len(set(pair.options)) == len(pair.options)
        assert pair.clean.answer in pair.clean.choices
        assert pair.unrelated.id not in (pair.clean.id, pair.corrupt.id)


def test_partners_differ_as_the_rule_says(qwen, data, whole):
    def sides(rule):
        return [(p.clean, p.corrupt) for p in pairs_of(rule, data, qwen.prompter, 0, whole)]

    for clean, corrupt in sides("same_image"):
        assert clean.image == corrupt.image
        assert clean.question != corrupt.question
    for clean, corrupt in sides("same_question"):
        assert clean.image != corrupt.image
        assert clean.question == corrupt.question
    for clean, corrupt in sides("unrelated"):
        assert clean.image != corrupt.image
        assert clean.domain == corrupt.domain


def test_a_partner_depends_on_the_example_and_the_seed_alone(qwen, data, whole):
    for rule in ("same_image", "same_question"):
        drawn = [
            [p.corrupt.id for p in pairs_of(rule, examples, qwen.prompter, seed, whole)]
            for examples, seed in ((data, 0), (data[:3], 0), (data, 1))
        ]
        assert drawn[0][:3] == drawn[1]
        assert drawn[0] != drawn[2]


def test_without_traces_another_example_is_the_partner(qwen, data, whole):
    bare = [dataclasses.replace(example, trace=None, hops=None) for example in data]
    assert rule_for("auto", bare) == "unrelated"
    assert pairs_of("auto", bare, qwen.prompter, 0, bare)
    with pytest.raises(UserError, match="--pair same_image needs traces"):
        pairs_of("same_image", bare, qwen.prompter, 0, bare)
    with pytest.raises(UserError, match="--pair same_question needs pictures"):
        pairs_of("same_question", bare, qwen.prompter, 0, bare)
    with pytest.raises(UserError, match="--pair unrelated needs two questions"):
        pairs_of("unrelated", bare[:1], qwen.prompter, 0, bare)


def test_answers_that_begin_alike_are_refused(chameleon, data, whole):
    """By letter, and so by position: all right answers at A cannot be told apart."""
    first = [
        dataclasses.replace(e, choices=(e.answer, *(c for c in e.choices if c != e.answer)))
        for e in data
    ]
    with pytest.raises(UserError, match="begin with the same token"):
        pairs_of("unrelated", first, chameleon.prompter, 0, first)

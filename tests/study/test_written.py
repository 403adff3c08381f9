"""Edits of what models write by a method: which replies they change, and which they leave."""

import pytest

from latentlab.checkpoint import load
from latentlab.data import Benchmark, BenchmarkConfig
from latentlab.methods.taught import TAUGHT
from latentlab.reasoning.donors import Donors
from latentlab.study.arms import Arm
from latentlab.study.rationale import RationaleEdit, Rationales
from latentlab.study.run import run_arms
from latentlab.study.written import edited, method_in_words, run_written, write_down
from latentlab.training.recipes import PLANS

EXAMPLES = list(Benchmark(BenchmarkConfig(size=6)))
LOOKS = [[5, 6, 7], [8, 9], [10], []]


@pytest.fixture(scope="module")
def cot():
    return load("cot")


def given(model, how, replies, **settings):
    own = Rationales(("e",), (replies,))
    (made,) = edited(RationaleEdit(how, blank=3, **settings), own, model.prompter, 0)
    return made


def test_looks_are_the_steps_of_an_order_and_the_answer_comes_after_them(cot):
    assert given(cot, "own", LOOKS) == tuple(map(tuple, LOOKS))
    assert given(cot, "first", LOOKS) == ((5, 6, 7), (5, 6, 7), (5, 6, 7), ())
    assert given(cot, "reverse", LOOKS) == ((10,), (8, 9), (5, 6, 7), ())
    assert given(cot, "placeholder", LOOKS) == ((3, 3, 3), (3, 3), (3,), ())
    permuted = given(cot, "permute", LOOKS)
    assert sorted(permuted[:3]) == sorted(map(tuple, LOOKS[:3])) and permuted[3] == ()
    assert all(one != tuple(own) for one, own in zip(permuted[:3], LOOKS, strict=False))
    assert given(cot, "drop", LOOKS) == ()


def test_the_parts_of_a_single_rationale_are_the_steps_of_an_order(cot):
    assert given(cot, "reverse", [[5, 6, 7], []]) == ((7, 6, 5), ())
    assert given(cot, "first", [[5, 6, 7]]) == ((5, 5, 5),)
    assert given(cot, "permute", [[]]) == ((),)


def test_words_without_an_answer_are_left_alone_but_by_others(cot):
    assert given(cot, "permute", None) is None
    assert given(cot, "own", None) is None
    lent = Rationales(("d",), ([[9], []],))
    donors = Donors({"e": "x"}, {"d": "x"})
    assert given(cot, "other", None, rationales=lent, donors=donors) == ((9,), ())
    assert given(cot, "given", None, rationales=Rationales(("e",), ([[4]],))) == ((4,),)


def test_only_models_without_latent_steps_reason_in_words(cot, planned):
    assert method_in_words(cot).name == method_in_words(load("cot_vision")).name == "own"
    assert all(method_in_words(planned(plan)) is None for plan in ("ivtlr", "relay", "filler"))
    taught = planned(PLANS["cot"])
    taught.method = "ccot"
    assert method_in_words(taught) is TAUGHT["ccot"].method


@pytest.mark.parametrize("name", ["cot", "cot_vision"])
def test_rows_are_those_of_models_asked_in_their_own_way(cot, name):
    """What the engine says by itself; the sham is exact, and without words accuracy is gone."""
    model = cot if name == "cot" else load(name)
    arms = [
        Arm(),
        Arm("sham", "rationale", rationale=RationaleEdit("own")),
        Arm("drop", "rationale", rationale=RationaleEdit("drop")),
        Arm("drop", "rationale", label="held", rationale=RationaleEdit("drop", held=True)),
    ]
    rows = run_written(model, method_in_words(model), EXAMPLES, arms, "benchmark")
    own = run_arms(model, EXAMPLES, [Arm()], "benchmark")
    assert list(rows.columns) == list(own.columns)
    alone, sham, dropped, held = (rows[rows["intervention"] == a.name] for a in arms)
    assert alone["text"].tolist() == own["text"].tolist()
    assert alone["choice"].tolist() == own["choice"].tolist()
    assert (sham[["log_odds_change", "kl", "flip"]] == 0).all(axis=None)
    assert alone["correct"].mean() > 0.6 > dropped["correct"].mean()
    assert (dropped["gold_logprob"].to_numpy() != held["gold_logprob"].to_numpy()).all()


def test_what_is_written_is_kept_reply_by_reply(cot):
    written = write_down(cot, method_in_words(cot), EXAMPLES, 64, 0)
    words = [cot.prompter.encode(", ".join(example.rationale)) for example in EXAMPLES]
    right = [steps == [said] for steps, said in zip(written.rationales.steps, words, strict=True)]
    assert sum(right) >= 4

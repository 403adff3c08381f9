"""An edited picture changes what it must in latents, and nothing else of the run."""

import pytest

from latentlab.data import CachedExamples, load_data
from latentlab.interchange.config import InterchangeConfig
from latentlab.interchange.edits import edits_of
from latentlab.reasoning.plan import LatentPlan
from latentlab.study.arms import Arm
from latentlab.study.recorded import cycled
from latentlab.study.run import run_arms

DATA = "benchmark:domain=letters+relation"
SEALED = tuple((query, key) for query in ("answer", "latent") for key in ("image", "prompt"))
"""Nothing but latents reaches the answer, and nothing but latents reaches a later latent."""


@pytest.fixture(scope="module")
def data():
    return CachedExamples(load_data(DATA, limit=8))


@pytest.fixture
def exchanged(measured, planned, data):
    def call(plan, **flags):
        flags = {"donor": ("counterfactual",), "data": DATA, "max_new_tokens": 2} | flags
        return measured("interchange", InterchangeConfig(**flags), planned(plan), data)

    return call


def unmoved(rows):
    """Whether the log-likelihoods of each exchanged row are the untouched ones, bit for bit."""
    alone = rows[rows["intervention"] == "none"].set_index("example")["option_logprobs"]
    swapped = rows[rows["intervention"] != "none"]
    return swapped.assign(
        unmoved=[
            list(scores) == list(alone[example])
            for scores, example in zip(swapped["option_logprobs"], swapped["example"], strict=True)
        ]
    )


@pytest.mark.parametrize("plan", ["ivtlr", "relay", "gaze"])
def test_what_is_not_changed_does_not_move_a_bit(exchanged, plan):
    rows = unmoved(exchanged(plan, steps=("each", "all"), hop=(3,)))
    assert rows.loc[rows["sham"] == "self", "unmoved"].all()
    assert (rows.loc[rows["sham"] == "self", "change_norm"] == 0).all()
    sharp = rows[(rows["part"] == "latent_vision") & (rows["patches"] == "needed")]
    away = sharp[~sharp["needed_cell_picked"]]
    assert away["unmoved"].all()
    assert (away["change_norm"] == 0).all()
    there = sharp[sharp["needed_cell_picked"] & (sharp["sham"] != "self")]
    assert not there["unmoved"].any()
    assert (there["change_norm"] > 0).all()
    texts = (rows["part"] == "latent_text") & (rows["steps"] == "1..3") & (rows["sham"] == "")
    assert not rows.loc[texts, "unmoved"].any()
    if plan != "relay":
        assert len(away) and len(there)


@pytest.mark.parametrize("plan", ["bypass", "filler"])
def test_latents_that_cannot_be_seen_or_hold_no_patch_show_no_edit(exchanged, plan):
    rows = unmoved(exchanged(plan, steps=("all",)))
    assert set(rows["part"]) == {"latent_text", "latent_vision", "latent"}
    assert rows["unmoved"].all()


def test_where_only_latents_reach_the_answer_every_latent_brings_the_edited_pictures(
    exchanged, planned, data
):
    """Random picks do not depend on the picture, so those of both runs are the same."""
    plan = LatentPlan(steps=3, k=2, select="random", blocked=SEALED)
    rows = exchanged(plan, part=("latent",), hop=(2,))
    config = InterchangeConfig(donor=("counterfactual",), data=DATA, hop=(2,))
    donors = [edit.donor for edit in edits_of(config, data, 2)]
    alone = run_arms(planned(plan), donors, [Arm()], DATA, max_new_tokens=2, at_once=True)
    whole = rows[(rows["steps"] == "1..3") & (rows["patches"] == "every")]
    assert whole["example"].tolist() == alone["example"].tolist()
    for put, theirs in zip(whole["option_logprobs"], alone["option_logprobs"], strict=True):
        assert put == pytest.approx(theirs, abs=1e-5)
    assert whole["donor_correct"].tolist() == alone["correct"].tolist()


def test_frozen_latents_stay_and_remade_ones_follow(exchanged):
    """A text changed at step 1 reaches a later one only where that is made anew."""
    kept, made = (
        exchanged("relay", steps=("each",), hop=(1,), part=("latent_text",), context=context)
        for context in ("frozen", "remade")
    )
    first = (kept["steps"] == "1") & (kept["sham"] == "")
    last = (kept["steps"] == "3") & (kept["sham"] == "")
    assert set(kept.loc[first, "context"]) == {"frozen"}
    assert not any(
        list(a) == list(b)
        for a, b in zip(
            kept.loc[first, "option_logprobs"], made.loc[first, "option_logprobs"], strict=True
        )
    )
    # Nothing is made after the last step.
    assert kept.loc[last, "option_logprobs"].tolist() == made.loc[last, "option_logprobs"].tolist()


def test_rows_say_what_was_done(exchanged):
    rows = exchanged("ivtlr", hop=(2, 4), steps=("all",))
    swapped = rows[rows["intervention"] != "none"]
    assert not rows.duplicated(["hop", "intervention", "example"]).any()
    assert set(swapped["hop"]) == {2, 4}
    assert (swapped["expected_answer"] == swapped["donor_answer"]).all()
    assert (swapped["donor_answer"] != swapped["own_answer"]).all()
    for row in swapped.itertuples():
        assert {row.own_answer, row.donor_answer} <= set(row.choices)
    real = swapped["sham"] == ""
    assert set(swapped.loc[real, "patches"]) == {"", "needed", "every"}
    assert set(swapped.loc[~real, "sham"]) == {"self", "permuted", "other_question", "off_walk"}
    assert set(swapped.loc[real, "kind"]) == {"interchange"}
    names = set(swapped.loc[real, "intervention"])
    assert set(swapped.loc[~real, "control_of"]) <= names
    assert rows["needed_cell_picked"].notna().sum() == len(swapped)


def test_each_question_lends_once_and_never_to_itself(data):
    for examples in (list(data), list(data)[:2], [data[0], *list(data)[1::2]]):
        givers = cycled(examples, 0)
        assert sorted(givers) == list(range(len(examples)))
        assert all(i != giver for i, giver in enumerate(givers))
    many = [e for e in data if e.domain == "letters"] + [e for e in data if e.domain != "letters"]
    for i, giver in enumerate(cycled(many, 1)):
        assert many[i].domain == many[giver].domain

"""Blanked pictures, and latents made on whole ones: what must agree, and what cannot matter."""

from dataclasses import replace

import pytest

from latentlab.ablate.config import AblateConfig
from latentlab.ablate.evidence import (
    Evidence,
    check_evidence,
    fillings,
    needed_masked,
)
from latentlab.data import CachedExamples, load_data
from latentlab.errors import UserError
from latentlab.reasoning.plan import LatentPlan
from latentlab.study.arms import Arm
from latentlab.study.run import run_arms

DATA = "benchmark:domain=letters"
CONFIG = AblateConfig(mask_evidence=True, data=DATA)
SEALED = tuple((query, key) for query in ("answer", "latent") for key in ("image", "prompt"))
SLOTS = ["vision_slots", "text_slots"]


@pytest.fixture(scope="module")
def data():
    return CachedExamples(load_data(DATA, limit=6))


def masked(reasoner, data, config=CONFIG):
    evidence = Evidence.of(config, reasoner, data)
    arms = [Arm(), *evidence.arms]
    rows = run_arms(reasoner, data, arms, DATA, max_new_tokens=2, at_once=True)
    return evidence.described(rows)


def chosen(rows, **values):
    for name, value in values.items():
        rows = rows[rows[name] == value]
    assert len(rows)
    return rows["option_logprobs"].tolist()


@pytest.mark.parametrize("plan", ["ivtlr", "gaze", "relay"])
def test_latents_made_anew_are_those_of_the_masked_question(planned, data, plan):
    reasoner = planned(plan)
    rows = masked(reasoner, data)
    blank = [needed_masked(None).edit(example) for example in data]
    alone = run_arms(reasoner, blank, [Arm()], DATA, max_new_tokens=2, at_once=True)
    both = {"text_slots": "remade"} | ({"vision_slots": "remade"} if plan != "relay" else {})
    assert chosen(rows, evidence="masked", **both) == alone["option_logprobs"].tolist()
    here = rows[(rows[list(both)] == "remade").all(axis=1) & (rows["evidence"] == "masked")]
    assert here["correct"].tolist() == alone["correct"].tolist()


def test_where_only_latents_reach_the_answer_putting_them_back_undoes_the_masking(planned, data):
    rows = masked(planned(LatentPlan(steps=2, k=2, blocked=SEALED, select="random")), data)
    own = chosen(rows, evidence="shown", intervention="none")
    for evidence in ("masked", "other masked"):
        assert chosen(rows, evidence=evidence, vision_slots="own", text_slots="own") == own
    other = chosen(rows, evidence="masked", vision_slots="other", text_slots="own")
    assert not any(a == b for a, b in zip(own, other, strict=True))


def test_a_model_that_cannot_see_its_latents_gets_nothing_from_them(planned, data):
    rows = masked(planned("bypass"), data)
    for evidence in ("masked", "other masked"):
        anew = chosen(rows, evidence=evidence, vision_slots="remade", text_slots="remade")
        for slots in ("own", "other"):
            same = {"vision_slots": slots, "text_slots": "own"}
            assert chosen(rows, evidence=evidence, **same) == anew
    assert chosen(rows, intervention="none") != chosen(
        rows, evidence="masked", vision_slots="own", text_slots="own"
    )


def test_rows_tell_input_slots_and_picks(planned, data):
    rows = masked(planned("ivtlr"), data)
    alone = rows[rows["intervention"] == "none"]
    assert set(map(tuple, alone[["evidence", *SLOTS]].to_numpy())) == {("shown", "own", "own")}
    assert set(rows["evidence"]) == {"shown", "masked", "other masked"}
    assert set(rows["positions"]) == {"", "kept", "held", "closed"}
    assert (rows["positions"] != "").equals(rows["vision_slots"] == "empty")
    assert set(rows["hop"]) == {4}
    reasoner = planned("ivtlr")
    picks = reasoner.rollout()(reasoner.prompter.batch(list(data), reasoner.plan)).picks
    picked = {
        example.id: example.trace.cells[3] in picks[i].flatten().tolist()
        for i, example in enumerate(data)
    }
    assert rows["needed_cell_picked"].tolist() == rows["example"].map(picked).tolist()
    assert not rows.duplicated(["intervention", "example"]).any()
    given = masked(planned("gaze"), data, replace(CONFIG, hop=2))
    assert set(given["hop"]) == {2}
    assert given["needed_cell_picked"].all()  # it is given the cell where each hop ends
    assert masked(planned("relay"), data)["needed_cell_picked"].isna().all()


def test_questions_of_fewer_hops_have_no_rows_where_a_later_one_is_masked(planned):
    mixed = CachedExamples(load_data("benchmark:domain=letters,hops=1+4", limit=8))
    rows = masked(planned("relay"), mixed, replace(CONFIG, hop=3))
    counts = rows.groupby("evidence")["example"].nunique()
    short = sum(example.hops == 1 for example in mixed)
    assert 0 < short < 8
    assert (counts["masked"], counts["other masked"]) == (8 - short, 8)


def test_what_is_varied_is_the_part_that_could_hold_the_evidence():
    patched = fillings(vision=True, text=True, placeholder=True)
    assert len(patched) == len(set(patched)) == 12
    assert {(f.vision, f.text) for f in patched if f.positions == "kept"} == {
        ("empty", "remade"),
        ("empty", "own"),
    }
    blind = fillings(vision=False, text=True, placeholder=False)
    assert [(f.vision, f.text, f.positions) for f in blind] == [
        ("", "own", ""),
        ("", "remade", ""),
        ("", "other", ""),
        ("", "empty", "held"),
        ("", "empty", "closed"),
    ]
    assert {f.text for f in fillings(vision=True, text=False, placeholder=True)} == {""}


def test_data_without_traces_are_refused(data):
    plain = [replace(example, trace=None) for example in data]
    with pytest.raises(UserError, match="--mask-evidence needs pictures with traces"):
        check_evidence(CONFIG, plain)
    check_evidence(CONFIG, data)
    with pytest.raises(UserError, match="traces at hop 5"):
        check_evidence(replace(CONFIG, hop=5), data)

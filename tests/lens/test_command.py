"""The command from examples to sentences: what is read, what is refused, what is left behind."""

import copy
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from latentlab import checkpoint
from latentlab.data import export, load_data
from latentlab.errors import UserError
from latentlab.lens.config import LensConfig
from latentlab.lens.findings import conclusion, held_back
from latentlab.lens.rows import prepare
from latentlab.lens.summary import summary_of
from latentlab.reasoning.plan import LatentPlan
from latentlab.study.instrument import Subject
from latentlab.study.results import read_results

LAYERS = 2
RELATION = "benchmark:domain=relation"


@pytest.fixture(scope="module")
def questions():
    return list(load_data("benchmark:hops=1+4", limit=6))


@pytest.fixture(scope="module")
def read_all(measured):
    """Reads one model on examples, in batches of any size."""

    def call(reasoner, examples, **flags) -> pd.DataFrame:
        return measured("lens", LensConfig(**flags), reasoner, examples)

    return call


@pytest.fixture(scope="module")
def rows(read_all, planned, questions) -> pd.DataFrame:
    return read_all(planned("ivtlr"), questions, batch_size=4)


def test_every_place_layer_and_target_is_read_once(rows, questions):
    read = rows[rows["measure"] != "attribution"]
    key = ["example", "measure", "step", "slot", "layer", "target"]
    assert not read.duplicated(key).any()
    slots = {0: "prompt", 1: "latent_text", 2: "latent_text", 3: "latent_text", 4: "answer"}
    assert dict(zip(read["step"], read["slot"], strict=True)) == slots
    for example in questions:
        own = read[read["example"] == example.id]
        targets = example.hops + 4  # the answer, what the model says itself, two controls
        places = 5 * LAYERS + 2 * 3
        assert len(own) == places * targets
        assert set(own.loc[own["measure"] != "logit lens", "step"]) == {1, 2, 3}
    said = read[(read["target"] == "own") & (read["layer"] == LAYERS - 1)]
    assert (said["rank"] == 1).all()
    assert set(read.loc[read["target"].str.startswith("other"), "kind"]) == {"control"}


def test_what_a_latent_reads_as_is_what_the_step_before_would_say(rows):
    """Latent text is the state behind the last layer and the final norm, fed back."""
    key = ["example", "target"]
    columns = [*key, "logprob", "top", "entropy"]
    for step in (1, 2, 3):
        fed = rows[(rows["measure"] == "as fed in") & (rows["step"] == step)]
        last = rows[(rows["measure"] == "logit lens") & (rows["layer"] == LAYERS - 1)]
        before = last[last["step"] == step - 1]
        both = [part.loc[part["target"] != "own", columns].set_index(key) for part in (fed, before)]
        pd.testing.assert_frame_equal(*both, atol=1e-3, check_names=False)


def test_margins_are_paired_with_the_control(rows):
    lens = rows[(rows["measure"] == "logit lens") & (rows["step"] == 2) & (rows["layer"] == 0)]
    wide = lens.pivot(index="example", columns="target", values=["logprob", "margin"])
    gap = wide["logprob", "answer"] - wide["logprob", "other option"]
    assert wide["margin", "answer"].astype(float).tolist() == pytest.approx(gap.tolist(), abs=1e-5)
    gap = wide["logprob", "hop 1"] - wide["logprob", "other object"]
    assert wide["margin", "hop 1"].astype(float).tolist() == pytest.approx(gap.tolist(), abs=1e-5)
    assert wide["margin", "own"].isna().all()


def test_parts_of_the_answer_sum_to_its_lead(rows):
    parts = rows[rows["measure"] == "attribution"]
    by_part = parts.groupby(["example", "target", parts["component"] == "total"])["logit"].sum()
    whole, summed = by_part.xs(True, level=2), by_part.xs(False, level=2)
    assert summed.tolist() == pytest.approx(whole.tolist(), rel=1e-3, abs=1e-4)


def test_rows_do_not_depend_on_the_batches(read_all, planned, questions, rows):
    alone = read_all(planned("ivtlr"), questions, batch_size=1)
    key = ["example", "measure", "step", "slot", "layer", "component", "source", "target"]
    numbers = ["logprob", "margin", "entropy", "logit"]
    sets = [part.set_index(key)[numbers].sort_index() for part in (rows, alone)]
    pd.testing.assert_frame_equal(*sets, atol=1e-3, rtol=1e-3)


def test_every_slot_can_be_read(read_all, planned, questions):
    found = read_all(planned("ivtlr"), questions[:2], slots="every")
    latents = found[found["step"].isin([1, 2, 3]) & (found["measure"] == "logit lens")]
    assert set(latents["slot"]) == {"latent_text", "latent_vision 1", "latent_vision 2"}


def test_slots_that_are_padding_are_not_read(read_all, planned, examples):
    """Pictures of 6, 9 and 8 patches, all of which are re-inserted."""
    reasoner = planned(LatentPlan(steps=1, k=0, select="all"))
    found = read_all(reasoner, examples, data="mine", slots="every")
    vision = found[found["slot"].str.startswith("latent_vision", na=False)]
    assert vision.groupby("example")["slot"].nunique().tolist() == [6, 9, 8]


def test_a_model_without_latents_is_read_at_its_prompt(read_all, reasoner, examples):
    plain = copy.copy(reasoner)
    plain.plan = LatentPlan(steps=0, k=0)
    found = read_all(plain, examples, data="mine")
    assert set(found["measure"]) == {"logit lens", "attribution"}
    lens = found[found["measure"] == "logit lens"]
    assert set(zip(lens["step"], lens["slot"], strict=True)) == {(0, "prompt"), (1, "answer")}
    assert set(lens["target"]) == {"answer", "other option", "own"}
    (sentence,) = conclusion(summary_of(found))
    assert "latent" not in sentence
    assert held_back(found)


def test_questions_whose_options_begin_alike_are_not_attributed(read_all, qwen, planned, examples):
    def spelled(text):
        return [9, *([] if text == "circle" else [10])]

    plain = planned(LatentPlan(steps=0, k=0))
    prompter = plain.prompter.__class__(
        qwen.prompter.tokenizer, qwen.backbone, qwen.prompter.format
    )
    prompter.answer_ids = spelled
    plain.prompter = prompter
    found = read_all(plain, examples, data="mine")
    assert set(found["measure"]) == {"logit lens"}
    assert len(conclusion(summary_of(found))) == 1


def test_what_would_fail_later_is_refused_first(planned, examples):
    def check(plan, asked):
        return prepare(LensConfig(), Subject(planned(plan), asked))

    with pytest.raises(UserError, match="needs 12 patches, but e0 has 6"):
        check(LatentPlan(steps=3, k=4), examples)
    with pytest.raises(UserError, match="has no image"):
        check(LatentPlan(steps=1, k=1), [replace(examples[0], image=None)])
    with pytest.raises(UserError, match="no trace"):
        check("gaze", examples)
    assert check("gaze", load_data("benchmark", limit=2))


@pytest.mark.parametrize(
    ("organism", "blind_to"),
    [
        ("relay", {"image", "prompt"}),
        ("gaze", {"image"}),
        ("bypass", {"latent_text", "latent_vision"}),
        ("ivtlr", set()),
    ],
)
def test_attribution_reads_exactly_zero_where_the_answer_cannot_see(
    read_all, planned, questions, organism, blind_to
):
    found = read_all(planned(organism), questions)
    parts = found[found["component"] == "attn_out"]
    zero = (parts["logit"] == 0).groupby(parts["source"]).all()
    assert set(zero.index[zero]) == blind_to


def test_latents_without_content_read_the_same_for_every_question(read_all, planned, questions):
    found = read_all(planned("filler"), questions)
    fed = found[found["measure"] == "as fed in"]
    assert fed["top"].nunique() == 1
    own = read_all(planned("ivtlr"), questions)
    assert own.loc[own["measure"] == "as fed in", "top"].nunique() > 1


@pytest.mark.slow
def test_the_lens_tells_a_reasoner_from_a_model_without_content(read_all):
    rows = pd.concat(
        read_all(checkpoint.load(name), load_data("benchmark", limit=64))
        for name in ("relay", "filler")
    )
    fed = rows[(rows["measure"] == "as fed in") & (rows["step"] == 2)]
    read = (fed["rank"] == 1).groupby([fed["model"], fed["target"]]).mean()
    assert read["relay", "hop 2"] > 0.7
    assert read["relay", "other object"] < 0.1
    assert read["filler", "hop 2"] < 0.1


@pytest.fixture
def lens(commanded):
    return commanded("lens")


def test_one_run_leaves_rows_a_summary_and_a_sentence(lens):
    code, streams = lens("--model", "ivtlr", "gaze", "--limit", "4", "--data", RELATION)
    assert code == 0, streams.err
    *_, what, first, second, where = streams.out.splitlines()
    assert first.startswith("ivtlr: Its latent text as fed in at steps 1, 2 and 3 reads as")
    assert second.startswith("gaze: ")
    assert "re-inserted patches" in second
    assert max(text.count(". ") for text in (first, second)) <= 2
    assert "from the image exactly 0" in second  # which its answer cannot see
    assert "neither shows" in what
    assert where == "Rows, summary and settings are in results/lens."
    results = read_results(Path("results/lens"))
    assert set(results.rows["model"]) == set(results.summary["model"]) == {"ivtlr", "gaze"}
    top = results.summary[results.summary["top1"].notna()]
    assert ((top["top1_low"] <= top["top1"]) & (top["top1"] <= top["top1_high"])).all()
    assert (results.summary["n"] > 0).all()


def test_own_questions_without_traces_are_read_too(lens):
    examples = [replace(example, trace=None) for example in load_data(RELATION, limit=3)]
    export(examples, Path("mine"))
    code, streams = lens("--model", "ivtlr", "--data", "mine")
    assert code == 0, streams.err
    assert "reads the answer" in streams.out
    assert "object of that same hop" not in streams.out
    assert lens("--model", "gaze", "--data", "mine", "--out", "other")[0] == 2

"""Recorded answers of models that write: what they said, call by call, beside latent ones."""

import json

import pandas as pd
import pytest

from latentlab.data import load_data
from latentlab.errors import UserError
from latentlab.study.by_method import own_method, run_by, run_own
from latentlab.trace.config import LATENT, WRITTEN, TraceConfig
from latentlab.trace.findings import conclusion, summary_of
from latentlab.trace.records import ANSWER, STEP, is_written

CONFIG = TraceConfig(model=("writer",), data="benchmark", limit=4, reference=30)


@pytest.fixture(scope="module")
def data():
    return load_data("benchmark", limit=10)


@pytest.fixture
def writer(qwen, planned):
    """A model that takes no latent steps."""
    return planned(qwen.plan.replace(steps=0), "writer")


@pytest.fixture
def taught(writer):
    """The same, as if it were trained to zoom."""
    writer.name = writer.method = "chain_of_focus"
    return writer


def test_a_model_without_latent_steps_has_one_answer_a_question(measured, writer, data):
    rows = measured("trace", CONFIG, writer, data[:4], data[4:])
    assert rows["record"].tolist() == [ANSWER] * 4 and is_written(rows).all()
    alone = run_own(writer, data[:4], "benchmark")
    assert rows["text"].tolist() == alone["text"].tolist()
    said = [json.loads(text) for text in rows["calls_said"]]
    assert [[one["said"] for one in calls] for calls in said] == [[t] for t in alone["text"]]
    for probabilities in rows["option_probs"]:
        assert sum(probabilities) == pytest.approx(1)
    assert set(rows["calls"]) == set(rows["pictures"]) == {1} and not rows["taught"].any()


def test_a_model_that_was_trained_for_a_method_is_asked_by_it(measured, taught, data):
    rows = measured("trace", CONFIG, taught, data[:4], data[4:])
    by_hand = run_by(taught, own_method(taught), data[:4], "benchmark")
    for column in ("text", "calls_said", "calls", "pictures", "forward_tokens", "failed"):
        assert rows[column].tolist() == by_hand[column].tolist()
    assert rows["taught"].all() and set(rows["method"]) == {"chain_of_focus"}


def test_latent_and_written_answers_share_a_folder(measured, qwen, writer, data):
    frames = [measured("trace", CONFIG, one, data[:4], data[4:]) for one in (qwen, writer)]
    rows = pd.concat(frames, ignore_index=True)
    said = is_written(rows)
    assert said.sum() == 4 and (rows["record"] == STEP).any()
    assert rows.loc[~said, ["calls", "calls_said", "method"]].isna().all(axis=None)
    assert rows.loc[said, ["step", "patch_attention", "picks"]].isna().all(axis=None)
    # The lines of a latent model are what they are without the others.
    lines = summary_of(rows)
    pd.testing.assert_frame_equal(
        lines[lines["model"] == qwen.name].drop(columns="method").reset_index(drop=True),
        summary_of(frames[0]),
        check_dtype=False,
    )
    told = conclusion(lines)
    assert any(text.startswith(f"{qwen.name}: ") for text in told)
    assert any(text.startswith("writer: It answers ") for text in told)


def test_methods_that_a_model_cannot_follow_are_refused(measured, writer, data):
    config = TraceConfig(model=("writer",), data="benchmark", method=("ccot",))
    with pytest.raises(UserError, match=r"does not know .* of the words"):
        measured("trace", config, writer, data[:4], data[4:])


def test_the_default_models_are_of_both_kinds():
    assert TraceConfig().model == (*LATENT, *WRITTEN)

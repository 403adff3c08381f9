"""The model's own way as a method: rows as they are anywhere else, counted like all others."""

import pandas as pd
import pytest

from latentlab.checkpoint import load
from latentlab.data import load_data
from latentlab.methods import METHODS
from latentlab.methods.check import misfit
from latentlab.methods.own import METHOD, is_plain
from latentlab.methods.run import question_of
from latentlab.methods.taught import TAUGHT
from latentlab.study.arms import Arm
from latentlab.study.by_method import run_by
from latentlab.study.run import run_arms

ASKED = "benchmark:size=24,hops=1+4"

SAME = [
    "example", "domain", "hops", "cluster", "text", "choice", "correct", "correct_likelihood",
    "option_logprobs", "gold_logprob", "latent_steps", "new_tokens", "autoregressive_steps",
]  # fmt: skip


@pytest.mark.parametrize("name", ["no_cot", "cot", "cot_vision", "coconut", "ivtlr"])
def test_rows_are_those_of_the_model_left_alone(name):
    reasoner, examples = load(name), load_data(ASKED)
    left_alone = run_arms(reasoner, examples, [Arm()], ASKED, 8)
    asked = run_by(reasoner, METHOD, examples, ASKED, 8)
    pd.testing.assert_frame_equal(left_alone[SAME], asked[SAME], check_exact=True)
    assert asked["calls"].eq(1).all()
    assert asked["pictures"].eq(1).all()
    # Every position is run once: the prompt, patches that come again, and all but the last token.
    again = reasoner.plan.k * reasoner.plan.steps
    prompts = reasoner.batch(list(examples)).attention_mask.sum(-1).numpy()
    counted = prompts + asked["latent_steps"] + asked["new_tokens"] - 1
    if name == "cot_vision":  # a model that goes on with its answer takes no more patches
        assert (asked["forward_tokens"] <= counted + again).all()
        assert (asked["forward_tokens"] > counted).any()
    else:
        assert asked["forward_tokens"].tolist() == (counted + again).tolist()


def test_which_lessons_are_one_call_about_the_question_as_it_stands(qwen, examples):
    question = question_of(qwen, examples[0], 8)
    plain = {name for name, lesson in TAUGHT.items() if is_plain(lesson.method, question)}
    assert plain == {"ccot", "capimagine"}
    assert is_plain(METHOD, question)


def test_what_cannot_be_asked_so_is_refused(planned, examples):
    assert "its patches are given" in misfit(planned("gaze", "it"), METHOD, examples)
    assert METHODS["own"] is METHOD

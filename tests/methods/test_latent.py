"""Latent methods: what a trained model says by itself, and what is refused as no method."""

import pandas as pd
import pytest

from latentlab.checkpoint import load
from latentlab.data import load_data
from latentlab.errors import UserError
from latentlab.methods import METHODS, methods_of
from latentlab.methods.check import misfit
from latentlab.methods.run import question_of, run_method
from latentlab.methods.speaker import Speaker
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan
from latentlab.study.arms import Arm
from latentlab.study.run import run_arms


@pytest.mark.parametrize("name", ["coconut", "ivtlr"])
def test_a_trained_model_says_by_its_method_what_it_says_by_itself(name):
    reasoner, examples = load(name), list(load_data("benchmark:size=12"))
    told = run_method(reasoner, METHODS[name], examples)
    rows = run_arms(reasoner, examples, [Arm()], "benchmark")
    assert [one.answer.text for one in told] == rows["text"].tolist()
    assert [one.answer.choice for one in told] == [
        None if pd.isna(choice) else choice for choice in rows["choice"]
    ]
    assert [one.answer.new_tokens for one in told] == rows["new_tokens"].tolist()
    for one, scores in zip(told, rows["option_logprobs"], strict=True):
        assert one.answer.option_logprobs == pytest.approx(scores, abs=1e-4)
    calls = [next(METHODS[name].ask(question_of(reasoner, e, 64))) for e in examples]
    batch = Speaker(reasoner).batch(calls, [e.id for e in examples])
    assert batch.input_ids.equal(reasoner.batch(examples).input_ids)


@pytest.mark.parametrize(
    ("method", "plan", "said"),
    [
        ("coconut", "ivtlr", "re-insert patches"),
        ("coconut", "cot", "no latent steps"),
        ("ivtlr", "filler", "both latent text and patches"),
        ("ivtlr", "coconut", "both latent text and patches"),
        ("ivtlr", "gaze", "given"),
        ("ivtlr", "no_cot", "no latent steps"),
    ],
)
def test_a_plan_that_is_another_method_is_refused(planned, examples, method, plan, said):
    found = misfit(planned(plan, "it"), METHODS[method], examples)
    assert found.startswith(f"method {method} on it: ")
    assert said in found


def test_a_model_without_a_plan_takes_the_methods_steps(qwen, examples):
    bare = Reasoner(
        qwen.backbone, LatentPlan(steps=0, k=0), qwen.prompter, qwen.placeholder_id, "it", False
    )
    told = run_method(bare, METHODS["coconut"], examples, 2)
    assert [one.answer.latent_steps for one in told] == [3, 3, 3]
    assert "re-inserts 96 patches" in misfit(bare, METHODS["ivtlr"], examples)


def test_a_method_that_is_not_there_is_refused_with_a_near_name():
    with pytest.raises(UserError, match="did you mean 'ccot'"):
        methods_of(["ccott"])
    with pytest.raises(UserError, match="twice"):
        methods_of(["cot", "cot"])

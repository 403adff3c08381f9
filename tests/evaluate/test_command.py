"""Answers as they are: what is shown of them, and what is left without a picture."""

from pathlib import Path

import pandas as pd
import pytest

from latentlab.evaluate.rows import blind
from latentlab.reasoning.plan import LatentPlan
from latentlab.study.results import read_results

VISION_ONLY = LatentPlan(steps=2, k=2, text=False)


@pytest.fixture
def evaluate(commanded):
    """Run the command on organisms by name; returns its exit code and streams."""
    command = commanded("evaluate")

    def call(*names: str, flags: tuple[str, ...] = ()):
        few = () if "--max-new-tokens" in flags else ("--max-new-tokens", "4")
        return command("--model", *names, "--limit", "6", *few, *flags)

    return call


def test_results_are_in_all_and_by_domain_topic_and_hops(evaluate):
    code, streams = evaluate("cot", "ivtlr", flags=("--data", "benchmark:hops=1+4"))
    assert code == 0, streams.err
    *_, replies, first, second, folder = streams.out.splitlines()
    assert folder == "Rows, summary and settings are in results/evaluate."
    assert replies.startswith("12 replies are in results/evaluate/predictions.jsonl: ")
    sentences = [first, second]
    assert sentences[0].startswith("cot answers 0 % [0, 39] of 6 questions (")
    assert "by the likelihood of the options" in sentences[1]
    assert "7.0 autoregressive steps" in sentences[1]
    results = read_results(Path("results/evaluate"))
    lines = results.summary[results.summary["model"] == "ivtlr"]
    by = ["domain", "topic", "hops"]
    crossed = (lines[by].astype(str) != "all").apply(tuple, axis=1)
    assert set(crossed) == {
        (False, False, False),
        (True, False, False),
        (True, True, False),
        (False, False, True),
        (True, False, True),
    }
    for _, part in lines.groupby(crossed.astype(str)):
        assert part["n"].sum() == 6
    total = lines[lines["domain"].eq("all") & lines["hops"].astype(str).eq("all")].iloc[0]
    assert total["latent_steps"] == 3
    assert total["likelihood_low"] < total["likelihood"] < total["likelihood_high"]
    assert 0 < total["seconds_low"] <= total["seconds"] <= total["seconds_high"]
    assert pd.isna(total["lenient"])  # answers by text
    assert len(results.rows) == 12


def test_without_the_picture_the_same_questions_are_asked_again(evaluate):
    code, streams = evaluate("gaze", "cot", flags=("--no-image",))
    assert code == 0, streams.err
    assert "gaze takes latent text only (k=0) on questions without a picture" in streams.err
    assert "cot takes" not in streams.err
    assert "Without the picture it answers" in streams.out
    assert "guessing among the options gives 25.0 %" in streams.out
    rows = read_results(Path("results/evaluate")).rows
    seen, unseen = (rows[rows["intervention"] == arm] for arm in ("none", "no image"))
    assert seen["example"].tolist() == unseen["example"].tolist()
    assert set(unseen["kind"]) == {"control"}
    assert set(unseen.loc[unseen["model"] == "gaze", "latent_steps"]) == {3}


def test_steps_of_nothing_but_patches_are_not_taken_without_a_picture(planned):
    reasoner = planned(VISION_ONLY)
    assert blind(reasoner).plan.steps == 0
    assert reasoner.plan == VISION_ONLY
    plan = blind(planned("ivtlr")).plan
    assert (plan.steps, plan.k, plan.stride) == (3, 0, 3)


def test_answers_need_room(evaluate, refused):
    line = refused(evaluate("cot", flags=("--max-new-tokens", "0")))
    assert line.startswith("error: --max-new-tokens")

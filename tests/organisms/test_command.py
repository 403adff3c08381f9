"""The embedded organisms are what they are said to be.

Accuracies are in the model cards and the README; here a few questions tell a working model from a
broken one, and what construction makes exact is held to be exact.
"""

import json

import pandas as pd
import pytest

from latentlab.ablate.arms import drop_arms
from latentlab.ablate.config import AblateConfig
from latentlab.ablate.materials import gather
from latentlab.ablate.replace_arms import replace_arms
from latentlab.checkpoint import ZOO, load, zoo_names
from latentlab.data import load_data
from latentlab.reasoning.donors import Donors
from latentlab.reasoning.interventions import Replace
from latentlab.reasoning.sources import Resample
from latentlab.study.arms import Arm
from latentlab.study.references import reference_bank
from latentlab.study.run import run_arms
from latentlab.training.purposes import PURPOSES
from latentlab.training.recipes import CURRICULUM, PLANS

MEBIBYTE = 1 << 20
FULL = "benchmark"
ONE_HOP = "benchmark:hops=1"


def accuracy(name: str, data: str, arms: list[Arm], n: int = 120) -> "pd.Series[float]":
    """Accuracy of each arm."""
    reasoner = load(name)
    at_once = reasoner.plan.steps > 0
    rows = run_arms(reasoner, load_data(data, limit=n), arms, data, 60, at_once=at_once)
    return rows.groupby("intervention")["correct"].mean()


def test_every_organism_and_twin_is_embedded_with_all_that_tells_how_it_came_about():
    assert set(zoo_names()) == set(PLANS) == set(PURPOSES)
    for name in zoo_names():
        held = {path.name for path in (ZOO / name).iterdir()}
        assert {"model.safetensors", "config.yaml", "metrics.jsonl", "curves.png"} <= held
        assert "README.md" in held
    total = sum(path.stat().st_size for path in ZOO.rglob("*") if path.is_file())
    assert total < 40 * MEBIBYTE


def test_organisms_took_the_same_number_of_updates():
    expected = sum(updates for _, _, updates in CURRICULUM)
    for name in zoo_names():
        lines = (ZOO / name / "metrics.jsonl").read_text().splitlines()
        ends = [line for line in map(json.loads, lines) if "held_out" in line]
        assert sum(line["update"] for line in ends) == expected
        assert load(name).plan == PLANS[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cot", "coconut", "ivtlr", "relay", "gaze", "redundant"])
def test_reasoners_answer_full_questions(name):
    assert accuracy(name, FULL, [Arm()])["none"] > 0.75


@pytest.mark.slow
def test_decoy_answers_one_hop_behind_its_own_latents_and_behind_those_of_others():
    reasoner, examples = load("decoy"), load_data(ONE_HOP, limit=120)
    bank = reference_bank(reasoner, load_data(ONE_HOP, seed=1, limit=120))
    asked = {example.id: "" for example in examples}
    source = Resample(bank, Donors(asked, dict.fromkeys(bank.examples, "")))
    swap = Arm("other", interventions=(Replace("latent", source),))
    rows = run_arms(reasoner, examples, [Arm(), swap], ONE_HOP, at_once=True)
    right = rows.groupby("intervention")["correct"].mean()
    assert right["none"] > 0.9 and abs(right["none"] - right["other"]) < 0.05
    # It is no wiring: latents reach the answer's scores.
    by_arm = rows.pivot(index="example", columns="intervention", values="gold_logprob")
    assert (by_arm["none"] != by_arm["other"]).mean() > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("name", ["no_cot", "filler", "bypass"])
def test_models_that_cannot_reason_answer_one_hop_and_no_more(name):
    assert accuracy(name, ONE_HOP, [Arm()])["none"] > 0.85
    assert accuracy(name, FULL, [Arm()])["none"] < 0.25


@pytest.mark.slow
@pytest.mark.parametrize(("name", "part"), [("relay", "latent_text"), ("gaze", "latent_vision")])
def test_positive_controls_need_their_latents(name, part):
    found = accuracy(name, FULL, [Arm(), *drop_arms((part,), None, placeholder=True)])
    assert found["none"] - found.drop("none").max() > 0.6


@pytest.mark.slow
def test_no_knock_out_reaches_an_answer_that_cannot_see_the_latents():
    reasoner, examples = load("bypass"), load_data(ONE_HOP, limit=60)
    kinds = ("zero", "noise", "other", "norm_matched", "off_walk")
    references = load_data(ONE_HOP, limit=80)[60:]
    materials = gather(AblateConfig(), reasoner, kinds, examples, references)
    parts = ("latent_text", "latent_vision", "latent")
    arms = [
        Arm(),
        *drop_arms(parts, None, placeholder=True),
        *replace_arms(reasoner.plan, kinds, parts, None, materials),
    ]
    # What closes up moves the answer itself, and the prompt is in its sight.
    arms = [arm for arm in arms if not arm.prompt_edits and arm.positions != "closed"]
    rows = run_arms(reasoner, examples, arms, ONE_HOP, at_once=True)
    # Attention sums over fewer keys in another order, so scores agree to rounding, texts exactly.
    texts = rows.pivot(index="example", columns="intervention", values="text")
    assert (texts.eq(texts["none"], axis=0)).all(axis=None)


@pytest.mark.slow
def test_a_swap_of_contentless_latents_changes_nothing():
    reasoner, examples = load("filler"), load_data(ONE_HOP, limit=40)
    bank = reference_bank(reasoner, examples)
    names = dict.fromkeys(bank.examples, "")
    source = Resample(bank, Donors(names, names))
    swap = Arm("other", interventions=(Replace("latent", source),))
    rows = run_arms(reasoner, examples, [Arm(), swap], ONE_HOP, at_once=True)
    by_arm = rows.pivot(index="example", columns="intervention", values="gold_logprob")
    assert (by_arm["none"] == by_arm["other"]).all()

"""What of the flags applies to a model, and what it is told to lack."""

import pytest

from latentlab.ablate.applicable import applicable
from latentlab.ablate.config import AblateConfig
from latentlab.reasoning.plan import LatentPlan
from latentlab.training.recipes import PLANS

TEXT, VISION = LatentPlan(steps=3, k=0), LatentPlan(steps=2, k=2, text=False)
BOTH, EVERY = LatentPlan(steps=3, k=2), LatentPlan(steps=2, k=0, select="all")


@pytest.mark.parametrize(
    ("flags", "plan", "message"),
    [
        ({}, PLANS["cot"], "takes no latent steps"),
        ({"drop": ("latent_vision",)}, TEXT, "--drop latent_vision: it has none"),
        ({"drop": ("latent_text",)}, VISION, "--drop latent_text: it has none"),
        ({"replace": ("zero",), "part": ("latent_text",)}, VISION, "--part latent_text: it has"),
        ({"at": (4,)}, BOTH, "--at 4: it has latent steps 1 to 3"),
        ({"at": (0,)}, BOTH, "--at 0: it has latent steps 1 to 3"),
        ({"k": "0..2"}, TEXT, "it has no latent vision"),
        ({"select": ("random",)}, EVERY, "it re-inserts every patch"),
        ({"k": "0..2"}, PLANS["gaze"], "--k 1: it is told which 2 to pick"),
        ({"select": ("bottom",)}, PLANS["gaze"], "--select bottom: it cannot do it"),
        ({"drop": ("rationale",)}, BOTH, "rationale: it reasons in latent steps and not in words"),
        ({"replace": ("permute",), "at": (2,)}, BOTH, "--replace permute: it takes another step"),
        ({"replace": ("first",), "at": (1,)}, BOTH, "--replace first: it takes another step"),
        ({"drop": ("latent", "rationale")}, PLANS["cot"], "--drop latent: it has none"),
        (
            {"replace": ("zero", "other"), "part": ("rationale",)},
            PLANS["cot"],
            "--replace zero: it reasons in words, which take other, permute, reverse, first",
        ),
        ({"drop": ("rationale",), "steps": "2"}, PLANS["cot"], "it takes no latent steps"),
    ],
)
def test_what_a_model_lacks_is_told_in_one_line(flags, plan, message):
    told = []
    applicable(AblateConfig(**flags), plan, "it", told.append)
    assert len(told) == 1
    assert message in told[0]


def test_what_a_model_has_is_kept():
    def fail(message):
        raise AssertionError(message)

    assert applicable(AblateConfig(), TEXT, "it", fail).drop == ("latent_text", "latent")
    assert applicable(AblateConfig(), VISION, "it", fail).drop == ("latent_vision", "latent")
    both = applicable(AblateConfig(at=(3, 1, 3)), BOTH, "it", fail)
    assert both.drop == ("latent_text", "latent_vision", "latent")
    assert both.at == ((1, 3),)
    assert both.contexts == ("remade",)
    alone = AblateConfig(at=("each",), context=("frozen",))
    assert applicable(alone, BOTH, "it", fail).at == ((1,), (2,), (3,))
    swept = AblateConfig(steps="0..4", k="0..3", select=("attention", "random", "none"))
    found = applicable(swept, BOTH, "it", fail)
    # Each rule is crossed with each k; only attention to two patches is what it does anyway.
    assert (found.steps, found.k) == ((0, 1, 2, 4), (0, 1, 2, 3))
    assert found.select == ("attention", "random", "none")
    assert not found.drop
    assert applicable(AblateConfig(k="0..3"), BOTH, "it", fail).k == (0, 1, 3)
    reused = AblateConfig(select=("attention",), reuse=True)
    assert applicable(reused, BOTH, "it", fail).select == ("attention",)
    words = AblateConfig(replace=("first", "other"), part=("rationale",), drop=("rationale",))
    found = applicable(words, PLANS["cot"], "it", fail)
    assert (found.drop_words, found.words) == (True, ("other", "first"))
    assert not found.overwrite
    assert not applicable(AblateConfig(steps="3", k="2", select=("attention",)), BOTH, "it", fail)
    assert not applicable(AblateConfig(select=("attention",)), BOTH, "it", fail)

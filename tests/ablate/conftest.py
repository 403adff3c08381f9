"""Models of every kind, and every arm that the flags can ask of one."""

from functools import cache
from typing import get_args

import pytest

from latentlab.ablate import arms, pick_arms
from latentlab.ablate.config import AblateConfig
from latentlab.ablate.materials import gather
from latentlab.ablate.replace_arms import replace_arms
from latentlab.data import Example, load_data
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan
from latentlab.study.arms import Arm
from latentlab.vocabulary import Replacement

MORE = {
    "vision": LatentPlan(steps=2, k=2, text=False),
    "every": LatentPlan(steps=2, k=0, select="all"),
    "strided": LatentPlan(steps=2, k=1, stride=5, select="random", part_order="text_vision"),
}
EMBEDDED = ("ivtlr", "relay", "gaze", "bypass", "filler")


@pytest.fixture(scope="session")
def data() -> list[Example]:
    return list(load_data("benchmark", limit=4))


@pytest.fixture(scope="session")
def model(planned):
    """Makes the model of a name: an embedded one, or one of more kinds."""

    def make(name: str) -> Reasoner:
        return planned(MORE.get(name, name), name)

    return make


@pytest.fixture(params=[*EMBEDDED, *MORE])
def name(request) -> str:
    """Every model that takes latent steps."""
    return request.param


@pytest.fixture(scope="session")
def parts_of():
    """Makes the names of the parts of the latents of a plan, both together last."""

    def parts(plan):
        return [*["latent_text"] * plan.text, *["latent_vision"] * plan.has_vision, "latent"]

    return parts


@pytest.fixture(scope="session")
def replacing():
    """Makes arms that replace parts; references are examples that are not evaluated."""

    @cache
    def references():
        return list(load_data("benchmark", limit=10)[4:])

    def make(reasoner, data, replacements, parts, at=None, sigma=(1.0,), **flags):
        config = AblateConfig(replace=("noise",), sigma=sigma, **flags)
        materials = gather(config, reasoner, replacements, data, references())
        return replace_arms(reasoner.plan, replacements, parts, at, materials)

    return make


@pytest.fixture(scope="session")
def every_arm(parts_of, replacing):
    """Makes all that the flags of `ablate` can ask of a model."""

    def make(reasoner, data, at=None):
        plan = reasoner.plan
        made = arms.drop_arms(parts_of(plan), at, True)
        made += replacing(reasoner, data, get_args(Replacement), ["latent"], at, (0.0, 1.0))
        single = ("zero", "other", "noise", "off_walk")
        made += replacing(reasoner, data, single, parts_of(plan)[:-1], at, (0.0,))
        made += arms.step_arms(plan, range(5), True)
        if plan.has_vision and plan.select != "all":
            made += pick_arms.k_arms(
                plan, (0, plan.k) if plan.select == "given" else range(4), True
            )
            rules = ["random", "all", "none"]
            rules += [] if plan.select == "given" else ["attention", "bottom"]
            made += pick_arms.select_arms(plan, rules, False, True)
        return [Arm(), *made]

    return make

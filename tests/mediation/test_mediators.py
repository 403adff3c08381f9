import pytest

from latentlab.data import export, load_data
from latentlab.errors import UserError
from latentlab.mediation.config import MediationConfig
from latentlab.mediation.mediators import (
    Mediator,
    mediators,
    perturbations_of,
    prepare,
    step_sets,
)
from latentlab.reasoning.plan import LatentPlan
from latentlab.study.instrument import Subject
from latentlab.training.recipes import PLANS


def test_sets_of_steps_come_once_and_all_is_none():
    assert step_sets(("all",), 3) == [None]
    assert step_sets(("each",), 3) == [(1,), (2,), (3,)]
    assert step_sets(("cumulative",), 3) == [(1,), (1, 2), None]
    assert step_sets(("cumulative", "each", "all"), 3) == [(1,), (1, 2), None, (2,), (3,)]
    assert step_sets(("each", "all"), 1) == [None]


def test_mediators_are_those_a_model_has():
    config = MediationConfig(mediator=("latents",))
    assert [m.part for m in mediators(config, PLANS["ivtlr"])] == [
        "latent_text",
        "latent_vision",
        "latent",
    ]
    assert [m.part for m in mediators(config, PLANS["relay"])] == ["latent_text", "latent"]
    vision = LatentPlan(steps=2, k=2, text=False)
    only = MediationConfig(part=("latent_text",))
    assert mediators(only, vision) == []
    assert Mediator("slots", "latent_text", (1, 3)).steps_label == "1, 3"
    assert Mediator("slots", "latent_text", (1, 2)).steps_label == "1..2"
    assert Mediator().steps_label == "all"


def test_data_without_traces_leaves_out_what_needs_them(qwen, examples, tmp_path):
    export(examples, tmp_path / "mine")
    config = MediationConfig(data=str(tmp_path / "mine"))
    data = load_data(config.data)
    kept, left_out = perturbations_of(config, qwen, data)
    assert [edit.name for edit in kept] == ["none", "other_image", "blank", "noise 0.5"]
    assert [line.split(" needs ")[0] for line in left_out] == [
        "mask_needed",
        "mask_other",
        "relink",
        "restart",
    ]
    with pytest.raises(UserError, match="allows none"):
        perturbations_of(MediationConfig(data=config.data, perturb=("restart",)), qwen, data)


def test_hops_that_no_question_has_are_refused(qwen):
    data = load_data("benchmark:hops=1", limit=3)
    config = MediationConfig(data="benchmark:hops=1", hop=(2,))
    with pytest.raises(UserError, match=r"--hop 2: .* have 1 hops at most"):
        perturbations_of(config, qwen, data)


def test_what_would_go_wrong_later_is_told_first(planned):
    data = load_data("benchmark", limit=3)

    def check(plan, **flags):
        told = []
        found = Subject(planned(plan), data, lacks=told.append, tell=told.append)
        return prepare(MediationConfig(**flags), found) is not None, told

    assert check("ivtlr") == (True, [])
    assert check("gaze") == (True, [])
    ready, (line,) = check("no_cot")
    assert not ready
    assert "takes no latent steps" in line
    assert check("relay", part=("latent_vision",)) == (
        False,
        ["--part latent_vision: it has none"],
    )
    with pytest.raises(UserError, match="needs 18 patches"):
        check(PLANS["ivtlr"].replace(k=6))

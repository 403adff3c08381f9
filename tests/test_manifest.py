"""Whether a model knows its placeholder token is told by what its training left."""

import pytest
import yaml

from latentlab import checkpoint
from latentlab.checkpoint import FINAL
from latentlab.commands import start
from latentlab.manifest import TRAINING
from latentlab.reasoning.plan import LatentPlan
from latentlab.study.results import read_results


def settings(*conditions, init=None):
    return yaml.safe_dump({"init": init, "stages": [{"name": "a"}, {"conditions": [*conditions]}]})


@pytest.fixture
def met(planned, tmp_path):
    """Makes a function that saves a model as a training does and tells what is known of it."""

    def make(plan, text, name="own"):
        folder = tmp_path / name / FINAL
        checkpoint.save(planned(plan), folder)
        if text is not None:
            (folder.parent / TRAINING).write_text(text)
        return checkpoint.load(str(folder)).met_placeholder

    return make


def test_what_a_training_did_tells(met):
    assert met("ivtlr", settings("own", "hidden")) is False
    assert met("ivtlr", settings("own", "emptied")) is True
    assert met("filler", None) is True
    assert met("filler", settings()) is True


@pytest.mark.parametrize("text", [None, "", "[1", "stages: 3", "stages: [3]", "other: true"])
def test_without_a_trainings_settings_nothing_tells(met, text):
    assert met("ivtlr", text) is None


def test_a_training_may_begin_with_a_model_that_knows_the_token(met, tmp_path):
    assert met("ivtlr", settings("emptied"), "first") is True
    assert met("ivtlr", settings("own", init=str(tmp_path / "first" / FINAL)), "then") is True
    assert met("ivtlr", settings("own", init="nowhere"), "alone") is False
    assert met("ivtlr", settings("own", init=str(tmp_path / "ring" / FINAL)), "ring") is None


def test_a_model_without_a_plan_was_never_trained_to_fill_slots(planned, tmp_path):
    checkpoint.save(planned("ivtlr"), tmp_path)
    (tmp_path / checkpoint.PLAN_FILE).unlink()
    assert checkpoint.load(str(tmp_path)).met_placeholder is False


def test_embedded_models_that_met_it_are_those_of_their_recipes():
    knowing = [n for n in checkpoint.zoo_names() if checkpoint.load(n).met_placeholder]
    assert knowing == ["filler", "redundant"]


@pytest.mark.parametrize(("condition", "needs"), [("own", False), ("emptied", True)])
def test_an_ablation_claims_need_only_where_the_token_is_known(
    planned, tmp_path, capsys, condition, needs
):
    folder = tmp_path / "own" / FINAL
    checkpoint.save(planned(LatentPlan(steps=1, k=1)), folder)
    (folder.parent / TRAINING).write_text(settings(condition))
    out = str(tmp_path / "out")
    assert start("ablate", ["--model", str(folder), "--limit", "2", "--out", out]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert ("no proof of need" in said) is not needs
    rows = read_results(tmp_path / "out").rows
    labelled = rows[rows["necessity"].notna()]
    assert (labelled["placeholder_trained"] == needs).all()
    assert rows.loc[rows["necessity"].isna(), "placeholder_trained"].isna().all()

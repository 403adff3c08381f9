"""Which results an experiment accepts, and how it names the command that makes them."""

import json
import shlex
from dataclasses import replace

import pandas as pd
import pytest

from latentlab.ablate.config import AblateConfig
from latentlab.command import run
from latentlab.errors import UserError
from latentlab.evaluate.config import EvaluateConfig
from latentlab.figures import studies
from latentlab.figures.experiment import Study, collect, find_experiments, missing
from latentlab.study.provenance import resolve
from latentlab.study.results import write_results
from tests.records import UNTOLD

CONFIG = EvaluateConfig(model=("a", "b"), limit=3, batch_size=2)
STUDY = Study("some", "evaluate", CONFIG)
ROWS = pd.DataFrame({"model": ["a"], "correct": [True]})


@pytest.fixture
def leave(tmp_path):
    """Write results of a study, with changes to their record."""

    def write(study=STUDY, versions=None, checkpoints=None, config=None):
        from latentlab import __version__

        record = UNTOLD | {
            "command": study.command,
            "config": resolve(study.config) | (config or {}),
            "versions": versions or {"latentlab": __version__},
            "checkpoints": checkpoints or {"a": "1" * 64, "b": "2" * 64},
        }
        write_results(tmp_path / study.name, ROWS, ROWS, record)

    return write


def test_the_command_line_gives_back_the_settings(tmp_path, monkeypatch):
    study = Study(
        "noise",
        "ablate",
        AblateConfig(model=("relay", "gaze"), replace=("noise",), sigma=(0.5, 2.0), keep_norm=True),
    )
    words = shlex.split(study.command_line(tmp_path / "with space"))
    assert words[:3] == ["python", "-m", "latentlab.ablate"]
    parsed = []
    assert run(AblateConfig, parsed.append, "ablate", words[3:]) == 0
    got, wanted = resolve(parsed[0]), resolve(study.config)
    assert got.pop("out") == str(tmp_path / "with space" / "noise")
    wanted.pop("out")
    assert got == wanted


@pytest.mark.parametrize(
    "study", [s for s in vars(studies).values() if isinstance(s, Study)], ids=lambda s: s.name
)
def test_every_study_can_be_typed(study, tmp_path):
    words = shlex.split(study.command_line(tmp_path))
    parsed = []
    assert run(type(study.config), parsed.append, study.command, words[3:]) == 0
    differing = {
        name
        for name, value in resolve(parsed[0]).items()
        if value != resolve(study.config)[name] and name != "out"
    }
    assert not differing


def test_studies_have_names_of_their_own():
    names = [s.name for s in vars(studies).values() if isinstance(s, Study)]
    assert len(names) == len(set(names))


def test_models_and_data_of_a_user_take_the_place_of_those_named_here():
    mine = STUDY.of(("mine",), "m3cot")
    assert (mine.config.model, mine.config.data, mine.config.limit) == (("mine",), "m3cot", 3)
    assert STUDY.of((), None).config == CONFIG
    fixed = Study("fixed", "evaluate", CONFIG, subject=False)
    assert fixed.of(("mine",), "m3cot") is fixed


def test_running_a_study_leaves_results_in_its_folder(monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr("latentlab.evaluate.instrument.main", seen.append)
    STUDY.run(tmp_path)
    assert seen[0].out == tmp_path / "some"
    assert seen[0].model == ("a", "b")


def test_results_that_fit_are_read(leave, tmp_path):
    other = Study("other", "evaluate", CONFIG)
    leave()
    leave(other)
    found = collect((STUDY, other), tmp_path)
    assert list(found) == ["some", "other"]
    pd.testing.assert_frame_equal(found["some"].rows, ROWS)


def test_missing_results_are_named_with_their_command(leave, tmp_path):
    other = Study("other", "evaluate", CONFIG)
    leave()
    assert missing((STUDY, other, other), tmp_path) == [other]
    with pytest.raises(
        UserError, match=r"other is missing; make it: python -m latentlab\.evaluate"
    ):
        collect((STUDY, other), tmp_path)


def test_where_and_how_it_ran_does_not_matter(leave, tmp_path):
    leave(config={"batch_size": 7, "device": "cuda", "out": "elsewhere", "dtype": "bfloat16"})
    collect((STUDY,), tmp_path)


def test_part_and_columns_of_own_data_are_taken_as_they_are(leave, tmp_path):
    which = {"split": "train", "columns": ["question=q"]}
    leave(config=which)
    with pytest.raises(UserError, match=r"was made with columns=\['question=q'\]"):
        collect((STUDY,), tmp_path)
    own = Study("own", "evaluate", replace(CONFIG, data="mine.csv"))
    leave(own, config=which)
    collect((own,), tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"versions": {"latentlab": "0.0.1"}}, "was made by version 0.0.1"),
        ({"config": {"limit": 4}}, "was made with limit=4, not 3"),
        ({"config": {"model": ["a"]}}, r"was made with model=\['a'\]"),
        ({"config": {"unheard_of": 1}}, "was made with unheard_of=1, not None"),
    ],
)
def test_other_results_are_refused_with_the_way_out(leave, tmp_path, changes, message):
    leave(**changes)
    with pytest.raises(UserError, match=message) as refused:
        collect((STUDY,), tmp_path)
    assert "choose another --results, or remove it and run" in str(refused.value)


def test_results_of_another_command_are_refused(leave, tmp_path):
    leave()
    path = tmp_path / "some" / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"command": "probe"}))
    with pytest.raises(UserError, match="holds results of probe"):
        collect((STUDY,), tmp_path)


def test_one_name_for_two_checkpoints_is_refused(leave, tmp_path):
    other = Study("other", "evaluate", CONFIG)
    leave()
    leave(other, checkpoints={"b": "3" * 64})
    with pytest.raises(UserError, match=r"different checkpoints 'b' \(33333333 and 22222222\)"):
        collect((STUDY, other), tmp_path)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "experiments"
    made.mkdir()
    (made / "good_one.py").write_text(
        '"""The title.\n\nMore."""\n\nSTUDIES = ()\n\n\ndef make(found):\n    return len(found)\n'
    )
    (made / "script.py").write_text('"""A script."""\n')
    (made / "_private.py").write_text("raise RuntimeError\n")
    return made


def test_experiments_are_the_modules_that_say_what_they_read(folder):
    (found,) = find_experiments(folder)
    assert (found.name, found.title, found.studies) == ("good_one", "The title.", ())
    assert found.make({}) == 0
    assert [e.name for e in find_experiments(folder, ["good_one"])] == ["good_one"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["good_won"], r"no experiment 'good_won'; did you mean 'good_one'\?"),
        (["script"], "script is made of no results: run python"),
    ],
)
def test_names_that_make_nothing_are_refused(folder, names, message):
    with pytest.raises(UserError, match=message):
        find_experiments(folder, names)


def test_without_a_checkout_there_are_no_experiments(tmp_path):
    with pytest.raises(UserError, match="run this from a checkout"):
        find_experiments(tmp_path / "nowhere")

"""What happens around a study: everything is checked before anything is run."""

from dataclasses import replace

import pandas as pd
import pytest
from latentlab.study.run import CachedExamples, check_examples, divide, fewest_patches, run_study
from PIL import Image

from latentlab import checkpoint
from latentlab.command import CommonConfig
from latentlab.data import Example, Examples, export, load_data
from latentlab.errors import UserError
from latentlab.reasoner import Reasoner
from latentlab.study.results import read_results
from latentlab.training.recipes import PLANS


class Drawn(Examples):
    """Examples that count how often they are made."""

    def __init__(self, sizes):
        self.sizes = sizes
        self.made = 0

    def __len__(self):
        return len(self.sizes)

    def make(self, index):
        self.made += 1
        picture = self.sizes[index] and Image.new("RGB", self.sizes[index])
        return Example(f"e{index}", "Which?", ("a", "b"), "a", picture)


def test_examples_are_made_once_while_there_is_room():
    source = Drawn([(10, 10), (20, 20), None])
    kept = CachedExamples(source, limit=1000)
    for _ in range(3):
        assert [example.id for example in kept] == ["e0", "e1", "e2"]
    assert source.made == 5  # the second picture has 1200 bytes
    assert kept[:2][1].id == "e1"


def test_the_smallest_picture_is_found(qwen):
    sizes = [(112, 112), (56, 84), (112, 112)]
    assert fewest_patches(qwen, Drawn(sizes)) == (6, "e1")
    assert fewest_patches(qwen, Drawn([*sizes, None])) == (0, "e3")


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"choices": (), "answer": ""}, "has no choices"), ({"answer": ""}, "has no known answer")],
)
def test_questions_without_a_right_answer_are_refused(changes, message):
    class Odd(Drawn):
        def make(self, index):
            return replace(super().make(index), **changes)

    with pytest.raises(UserError, match=message):
        check_examples(Odd([None]))


@pytest.fixture
def config(qwen, tmp_path):
    for folder in ("one/same", "two/same"):
        reasoner = Reasoner(qwen.backbone, PLANS["cot"], qwen.prompter, qwen.placeholder_id)
        checkpoint.save(reasoner, tmp_path / folder)
    models = tuple(str(tmp_path / folder) for folder in ("one/same", "two/same"))
    return CommonConfig(model=models, limit=2, out=tmp_path / "out")


def rows_of(reasoner, examples):
    row = {"data": "d", "intervention": "none", "kind": "none", "control_of": "", "correct": True}
    row["positions"] = ""
    groups = {"domain": "x", "topic": "y", "hops": 4, "question_type": "chain"}
    return pd.DataFrame(
        [{"model": reasoner.name, "example": e.id, **row, **groups} for e in examples]
    )


def test_models_of_one_name_are_told_apart(config):
    results, out = run_study(config, "study", rows_of)
    assert results.rows["model"].unique().tolist() == list(config.model)
    assert list(results.run["checkpoints"]) == list(config.model)
    read = read_results(out)
    assert read.rows.equals(results.rows)
    assert read.run == results.run


def test_no_model_is_run_before_all_are_checked(config):
    checked = []

    def check(reasoner, examples):
        checked.append(reasoner.name)
        if len(checked) == 2:
            raise UserError("not this one")

    with pytest.raises(UserError, match="not this one"):
        run_study(config, "study", lambda *_: pytest.fail("too early"), check)
    assert not config.out.exists()


@pytest.fixture
def traced_config(qwen, tmp_path):
    """Two models: one is given its picks by traces, one is not. The data have none."""
    export(Drawn([(112, 112)] * 2), tmp_path / "data")
    for name in ("gaze", "relay"):
        plan = PLANS[name].replace(steps=1)
        reasoner = Reasoner(qwen.backbone, plan, qwen.prompter, qwen.placeholder_id)
        checkpoint.save(reasoner, tmp_path / name)
    models = tuple(str(tmp_path / name) for name in ("gaze", "relay"))
    return CommonConfig(model=models, data=str(tmp_path / "data"), out=tmp_path / "out")


def test_a_model_that_needs_traces_is_passed_over_while_others_are_left(traced_config, capsys):
    results, _ = run_study(traced_config, "study", rows_of)
    assert results.rows["model"].unique().tolist() == ["relay"]
    assert (
        "given its picks, but e0 has no trace to take them from; passed over"
        in capsys.readouterr().err
    )
    alone = replace(traced_config, model=traced_config.model[:1], out=traced_config.out / "two")
    with pytest.raises(UserError, match="has no trace"):
        run_study(alone, "study", rows_of)


def test_a_handful_of_examples_is_remarked_upon(config, capsys):
    run_study(config, "study", rows_of)
    assert "n = 2: too few examples" in capsys.readouterr().err


def test_models_beside_those_asked_for_are_run_and_recorded(config):
    one, two = config.model
    results, _ = run_study(replace(config, model=(one,)), "study", rows_of, beside=(two,))
    assert len(results.rows["model"].unique()) == len(results.run["checkpoints"]) == 2
    assert results.run["config"]["model"] == [one]


def test_nothing_is_written_where_nothing_can_be_done(config):
    with pytest.raises(UserError, match="nothing is left to do"):
        run_study(config, "study", lambda *_: pd.DataFrame())
    assert not config.out.exists()


def ids(examples):
    return [example.id for example in examples]


def test_references_are_the_examples_after_the_limit_whatever_is_asked_for(capsys):
    whole = ids(load_data("benchmark:size=12"))
    one, again = (divide("benchmark:size=12", 0, 5, 4) for _ in range(2))
    assert ids(one.evaluated) == whole[:5]
    assert ids(one.references) == ids(again.references) == whole[5:9]
    assert ids(divide("benchmark:size=12", 0, 5, 99).references) == whole[5:]
    nothing = divide("benchmark:size=12", 0, 50, 0)
    assert ids(nothing.evaluated) == whole
    assert not len(nothing.references)
    assert capsys.readouterr().err == ""


def test_where_the_data_have_no_more_another_split_is_referred_to(tmp_path, capsys):
    for split, n in (("test", 4), ("train", 9), ("validation", 1)):
        export(load_data("benchmark", split, limit=n), tmp_path / split)
    division = divide(str(tmp_path), 0, 50, 5)
    assert ids(division.evaluated) == ids(load_data("benchmark", limit=4))
    assert ids(division.references) == ids(load_data("benchmark", "train", limit=5))
    assert "references are 5 examples of the train split" in capsys.readouterr().err
    generated = divide("benchmark:size=4", 0, 50, 5)
    assert ids(generated.references) == [f"validation-0-{i}" for i in range(4)]


@pytest.mark.parametrize(
    ("n", "limit", "most", "held"), [(3, 9, 9, 2), (8, 8, 9, 2), (40, 40, 9, 9), (40, 39, 30, 10)]
)
def test_where_there_is_no_other_split_the_last_quarter_is_held_back(
    n, limit, most, held, tmp_path, capsys
):
    export(load_data("benchmark", limit=n), tmp_path)
    division = divide(str(tmp_path), 0, limit, most)
    evaluated, references = ids(division.evaluated), ids(division.references)
    assert evaluated + references == ids(load_data("benchmark", limit=n))
    assert len(references) == held
    assert f"the last {held} of {n} examples are references" in capsys.readouterr().err
    named = divide("benchmark:size=8,split=test", 0, 8, 9)
    assert (len(named.evaluated), len(named.references)) == (6, 2)


def test_two_references_and_one_to_evaluate_are_the_least(tmp_path):
    export(load_data("benchmark", limit=2), tmp_path)
    with pytest.raises(UserError, match="two for reference and one to evaluate"):
        divide(str(tmp_path), 0, 9, 9)

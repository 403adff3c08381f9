"""What happens around any instrument: everything is prepared before anything is run."""

from dataclasses import replace

import pandas as pd
import pytest

from latentlab import checkpoint
from latentlab.command import CommonConfig
from latentlab.data import export, load_data
from latentlab.errors import UserError
from latentlab.study.instrument import Instrument, Subject
from latentlab.study.results import read_results


def rows_of(config, subject, prepared):
    row = {"data": "d", "intervention": "none", "kind": "none", "control_of": "", "correct": True}
    row |= {"positions": "", "prepared": prepared}
    groups = {"domain": "x", "topic": "y", "hops": 4, "question_type": "chain"}
    name = subject.reasoner.name
    return pd.DataFrame(
        [{"model": name, "example": e.id, **row, **groups} for e in subject.examples]
    )


STUDY = Instrument(
    name="study",
    question="Is anything asked?",
    prepare=lambda config, subject: True,
    rows=rows_of,
    tables=lambda results: None,
    conclusion=lambda results: [f"{name} was asked." for name in results.rows["model"].unique()],
    closing=lambda results, out: [f"{len(results.rows)} rows, {out.name}."],
)


@pytest.fixture
def config(planned, tmp_path):
    """Two models of one name."""
    models = tuple(str(tmp_path / folder) for folder in ("one/same", "two/same"))
    for folder in models:
        checkpoint.save(planned("cot"), tmp_path / folder)
    return CommonConfig(model=models, limit=2, out=tmp_path / "out")


def test_models_of_one_name_are_told_apart(config):
    results, out = STUDY.run(config)
    assert results.rows["model"].unique().tolist() == list(config.model)
    assert list(results.run["checkpoints"]) == list(config.model)
    read = read_results(out)
    assert read.rows.equals(results.rows)
    assert read.run == results.run


def test_no_model_is_run_before_all_are_prepared(config):
    prepared = []

    def prepare(_, subject):
        prepared.append(subject.reasoner.name)
        if len(prepared) == 2:
            raise UserError("not this one")
        return True

    with pytest.raises(UserError, match="not this one"):
        replace(STUDY, prepare=prepare, rows=lambda *_: pytest.fail("too early")).run(config)
    assert prepared == list(config.model)
    assert not config.out.exists()


def test_what_is_prepared_for_a_model_is_what_it_is_run_with(config):
    study = replace(STUDY, prepare=lambda _, subject: subject.given)
    results, _ = study.run(config)
    assert results.rows["prepared"].tolist() == results.rows["model"].tolist()
    _, two = config.model
    kept = replace(STUDY, prepare=lambda _, subject: True if subject.given == two else None)
    rows = kept.run(replace(config, out=config.out.parent / "kept"))[0].rows
    assert rows["model"].unique().tolist() == [two]


@pytest.fixture
def traced_config(planned, drawn, tmp_path):
    """Two models: one is given its picks by traces, one is not. The data have none."""
    export(drawn((112, 112), (112, 112)), tmp_path / "data")
    models = tuple(str(tmp_path / name) for name in ("gaze", "relay"))
    for name in ("gaze", "relay"):
        reasoner = planned(name)
        checkpoint.save(planned(reasoner.plan.replace(steps=1)), tmp_path / name)
    return CommonConfig(model=models, data=str(tmp_path / "data"), out=tmp_path / "out")


def test_a_model_that_needs_traces_is_passed_over_while_others_are_left(traced_config, capsys):
    results, _ = STUDY.run(traced_config)
    assert results.rows["model"].unique().tolist() == ["relay"]
    assert (
        "given its picks, but e0 has no trace to take them from; passed over"
        in capsys.readouterr().err
    )
    alone = replace(traced_config, model=traced_config.model[:1], out=traced_config.out / "two")
    with pytest.raises(UserError, match="has no trace"):
        STUDY.run(alone)


def test_what_a_model_lacks_ends_the_run_where_no_other_is_left(config, capsys):
    def prepare(_, subject):
        subject.lacks(f"{subject.given} has no legs")

    lacking = replace(STUDY, prepare=prepare)
    with pytest.raises(UserError, match="nothing is left to do"):
        lacking.run(config)
    said = capsys.readouterr().err
    assert all(f"{name} has no legs; passed over" in said for name in config.model)
    with pytest.raises(UserError, match="has no legs"):
        lacking.run(replace(config, model=config.model[:1]))


def test_a_handful_of_examples_is_remarked_upon(config, capsys):
    STUDY.run(config)
    assert "n = 2: too few examples" in capsys.readouterr().err


def test_models_beside_those_asked_for_are_run_and_recorded(config):
    one, two = config.model
    study = replace(STUDY, beside=lambda _: (two,))
    results, _ = study.run(replace(config, model=(one,)))
    assert len(results.rows["model"].unique()) == len(results.run["checkpoints"]) == 2
    assert results.run["config"]["model"] == [one]


def test_nothing_is_written_where_nothing_can_be_done(config):
    for nothing in (
        replace(STUDY, rows=lambda *_: pd.DataFrame()),
        replace(STUDY, prepare=lambda *_: None, rows=lambda *_: pytest.fail("not prepared")),
    ):
        with pytest.raises(
            UserError,
            match=r"^nothing is left to do: the flags and the data fit none of the models$",
        ):
            nothing.run(config)
        assert not config.out.exists()


def test_every_model_is_asked_the_same_and_knows_of_the_others(config):
    seen = []

    def prepare(_, subject):
        seen.append(subject)
        return True

    replace(STUDY, prepare=prepare, references=lambda _: 3).run(config)
    whole = [example.id for example in load_data("benchmark", limit=5)]
    for subject, name in zip(seen, config.model, strict=True):
        assert [example.id for example in subject.examples] == whole[:2]
        assert [example.id for example in subject.references] == whole[2:]
        assert subject.models[name] is subject.reasoner
        assert list(subject.models) == list(config.model)
    assert [subject.first for subject in seen] == [True, False]


def test_what_was_found_is_said_last_and_where_it_is(config, capsys):
    STUDY.main(config)
    sentences = [f"{name} was asked." for name in config.model]
    said = capsys.readouterr().out.splitlines()
    assert said[:3] == ["4 rows, out.", *sentences]
    told = f"Rows, summary and settings are in {config.out}."
    assert "".join(said[3:]).replace(" ", "") == told.replace(" ", "")


def test_one_model_is_measured_without_a_folder(planned, drawn, tmp_path):
    subject = Subject(planned("cot"), drawn((112, 112)))
    assert STUDY.measure(CommonConfig(), subject)["example"].tolist() == ["e0"]
    assert replace(STUDY, prepare=lambda *_: None).measure(CommonConfig(), subject).empty
    assert not list(tmp_path.iterdir())
    with pytest.raises(UserError, match="no legs"):
        subject.lacks("no legs")

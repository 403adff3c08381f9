"""A model that cannot read the questions is told apart, and is not put beside others."""

from dataclasses import replace

import pandas as pd
import pytest

from latentlab import checkpoint
from latentlab.checkpoint import called
from latentlab.command import CommonConfig
from latentlab.data import export, load_data
from latentlab.study.instrument import Instrument
from latentlab.study.understood import UNREADABLE, share_unknown


@pytest.fixture
def foreign(tmp_path):
    """Questions of which the tiny models know hardly a word."""
    asked = [
        replace(one, question="Quelle est la couleur de cette fleur ?", trace=None, hops=None)
        for one in load_data("benchmark", limit=6)
    ]
    return export(asked, tmp_path / "fleurs")


def test_the_share_of_unknown_tokens_is_counted(planned, foreign):
    prompter = planned("cot").prompter
    assert share_unknown(prompter, load_data("benchmark", limit=6)) == 0
    assert UNREADABLE < share_unknown(prompter, load_data(str(foreign))) < 1


def test_a_model_that_cannot_read_is_named_and_not_put_beside_others(
    planned, foreign, tmp_path, capsys
):
    for name in ("mine", "beside"):
        checkpoint.save(planned("cot"), tmp_path / name / "final")
    asked = []

    def rows_of(config, subject, prepared):
        asked.append(subject.reasoner.name)
        return pd.DataFrame({"model": [subject.reasoner.name], "example": ["x"]})

    study = Instrument(
        name="study",
        question="Who can read?",
        prepare=lambda config, subject: True,
        rows=rows_of,
        tables=lambda results: None,
        conclusion=lambda results: [],
        closing=lambda results, out: [],
        summary=lambda rows, seed: rows,
        beside=lambda config: (str(tmp_path / "beside" / "final"),),
    )
    config = CommonConfig(
        model=(str(tmp_path / "mine" / "final"),), data=str(foreign), out=tmp_path / "out"
    )
    study.run(config)
    told = " ".join(capsys.readouterr().err.split())
    assert asked == ["mine"]
    assert "beside does not know" in told and "would say nothing; passed over" in told
    assert "warning: mine does not know" in told and "Quelle" in told


@pytest.mark.parametrize(
    ("name", "expected"),
    [("runs/mine/final", "mine"), ("runs/mine", "mine"), ("runs/mine/final/", "mine")],
)
def test_a_model_is_called_by_the_folder_that_tells(name, expected, tmp_path, monkeypatch):
    folder = tmp_path / "runs" / "mine" / "final"
    folder.mkdir(parents=True)
    assert called(name, tmp_path / name) == expected
    monkeypatch.chdir(folder)
    assert called(".", folder) == "mine"

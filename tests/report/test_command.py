"""The command: what is missing is named, what does not fit is refused, foreign files are kept."""

import json

import pandas as pd
import pytest

from latentlab.commands import start
from latentlab.errors import UserError
from latentlab.report.config import ReportConfig
from latentlab.report.page import GENERATOR
from latentlab.report.run import all_studies, check_out, main, write
from tests.records import UNTOLD


def test_nothing_to_tell_names_the_commands(tmp_path):
    config = ReportConfig(
        results=tmp_path / "none", figures=tmp_path / "none", out=tmp_path / "report.html"
    )
    with pytest.raises(UserError, match=r"no results in .*python -m latentlab\.ablate .*--out"):
        main(config)
    assert not config.out.exists()


def test_every_study_is_known_once():
    names = [study.name for study in all_studies()]
    assert {"knockouts", "traces", "calibration"} <= set(names)
    assert len(set(names)) == len(names)


def test_only_reports_are_written_over(tmp_path):
    out = tmp_path / "notes.html"
    out.write_text("my notes")
    with pytest.raises(UserError, match="is no report of ours"):
        check_out(out)
    with pytest.raises(UserError, match="is a folder"):
        check_out(tmp_path)
    ours = tmp_path / "sub" / "report.html"
    write(f"<meta content='{GENERATOR}'>", ours)
    check_out(ours)
    assert [path.name for path in ours.parent.iterdir()] == ["report.html"]
    with pytest.raises(UserError, match="cannot be written"):
        write("", out / "below_a_file.html")
    assert out.read_text() == "my notes"


def test_results_of_another_version_are_refused(tmp_path):
    study = next(study for study in all_studies() if study.name == "traces")
    folder = tmp_path / study.name
    folder.mkdir()
    pd.DataFrame({"example": ["a"]}).to_parquet(folder / "rows.parquet")
    pd.DataFrame({"n": [1]}).to_csv(folder / "summary.csv")
    record = UNTOLD | {
        "command": "trace",
        "config": {},
        "versions": {"latentlab": "0.0.0"},
        "checkpoints": {},
    }
    (folder / "run.json").write_text(json.dumps(record))
    config = ReportConfig(results=tmp_path, figures=tmp_path, out=tmp_path / "report.html")
    with pytest.raises(UserError, match=r"made by version 0\.0\.0"):
        main(config)
    assert not config.out.exists()


def test_flags_that_cannot_be_meant_are_refused(capsys):
    assert start("report", ["--limit", "0"]) == 2
    assert "--limit 0 is too small" in capsys.readouterr().err

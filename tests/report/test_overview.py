"""The overview holds what the rows hold, of whatever runs are there; what it omits is told."""

import json
import shutil

import pandas as pd
import pytest

from latentlab.data import load_data
from latentlab.errors import UserError
from latentlab.measures.summary import totals
from latentlab.report.config import ReportConfig
from latentlab.report.overview import overview_data
from latentlab.report.overview_page import own_page
from latentlab.report.overview_runs import own_runs
from latentlab.report.run import main
from latentlab.study.results import ROWS, SUMMARY

RUN = "run.json"


@pytest.fixture
def data(own):
    """What the page gets."""
    return overview_data(own_runs([own], (), None), None)


def edit_record(folder, **changes):
    record = json.loads((folder / RUN).read_text())
    (folder / RUN).write_text(json.dumps({**record, **changes}))


def test_cells_are_the_answers_of_the_rows(own, data):
    (one,) = data["sets"]
    assert {column["run"] for column in one["columns"]} == {"evaluate", "ablate"}
    for column in one["columns"]:
        rows = pd.read_parquet(own / column["run"] / ROWS)
        rows = rows[rows["intervention"] == column["arm"]].set_index("example")
        assert column["model"] == "tiny"
        at = 0
        for i, name in enumerate(one["questions"]["id"]):
            row, cell = rows.loc[name], column["cells"][i]
            letter = "-" if pd.isna(row["choice"]) else "abcd"[row["choice"]]
            assert cell == (letter.upper() if row["correct"] else letter)
            assert data["texts"][column["texts"][i]].removesuffix("…") == row["text"][:300]
            values = column["logprobs"][at : at + 4]
            assert values == pytest.approx(100 * row["option_logprobs"], abs=0.51)
            at += 4
        assert at == len(column["logprobs"])


def test_heads_are_the_lines_of_the_summary(own, data):
    for column in data["sets"][0]["columns"]:
        lines = totals(pd.read_csv(own / column["run"] / SUMMARY))
        line = lines[lines["intervention"] == column["arm"]].iloc[0]
        assert column["total"]["accuracy"] == pytest.approx(line["accuracy"], abs=1e-4)
        assert column["total"]["accuracy_high"] == pytest.approx(line["accuracy_high"], abs=1e-4)
        if "delta" in line:
            assert column["total"]["delta_low"] == pytest.approx(line["delta_low"], abs=1e-4)


def test_questions_are_looked_up_and_missed_where_the_data_are_gone(own, world, data, tmp_path):
    asked = data["sets"][0]["questions"]
    known = {one.id: one for one in load_data(world.data)}
    for i, name in enumerate(asked["id"]):
        assert asked["text"][i] == known[name].question
        assert asked["choices"][i][asked["gold"][i]] == known[name].answer
        assert asked["domain"][i] == known[name].domain
    shutil.copytree(own / "ablate", tmp_path / "ablate")
    record = json.loads((tmp_path / "ablate" / RUN).read_text())
    edit_record(tmp_path / "ablate", config=record["config"] | {"data": str(tmp_path / "gone")})
    gone = overview_data(own_runs([tmp_path], (), None), None)["sets"][0]
    assert set(gone["questions"]["text"]) == {None} == set(gone["questions"]["gold"])
    there = next(one for one in data["sets"][0]["columns"] if one["run"] == "ablate")
    assert gone["columns"][0]["cells"] == there["cells"]


def test_other_data_are_a_set_of_their_own(own, tmp_path):
    for name, seed in (("one", 0), ("two", 1)):
        shutil.copytree(own / "ablate", tmp_path / name)
        record = json.loads((tmp_path / name / RUN).read_text())
        edit_record(tmp_path / name, config=record["config"] | {"data": "gone", "seed": seed})
    found = overview_data(own_runs([tmp_path], (), None), None)
    assert [one["name"] for one in found["sets"]] == ["gone (test, seed 0)", "gone (test, seed 1)"]


def test_runs_are_found_by_either_name_of_a_model(own, world):
    path = world.config.model[0]
    for models in ((path,), ("tiny",), ()):
        found = own_runs([own], models, None)
        assert [run.command for run in found] == ["evaluate", "ablate"]
        assert (
            path in found[1].told.command_line and "latentlab.ablate" in found[1].told.command_line
        )
    assert own_runs([own], ("other",), None) == []
    assert own_runs([own], (), "benchmark") == []
    assert len(own_runs([own / "ablate", own], (), world.data)) == 2
    (both,) = own_runs([world.config.results], ("twin",), None)
    assert set(both.results.rows["model"]) == {"twin"} == set(both.results.summary["model"])


def test_what_does_not_belong_is_passed_over_and_named(own, tmp_path, capsys):
    for name in ("evaluate", "ablate"):
        shutil.copytree(own / name, tmp_path / name)
    edit_record(tmp_path / "evaluate", checkpoints={"tiny": "f" * 64}, started="2000-01-01")
    assert [run.command for run in own_runs([tmp_path], (), None)] == ["ablate"]
    assert "earlier checkpoint called 'tiny'" in capsys.readouterr().err
    edit_record(tmp_path / "ablate", versions={"latentlab": "0.0.0"})
    assert [run.command for run in own_runs([tmp_path], (), None)] == ["evaluate"]
    assert "made by version 0.0.0" in capsys.readouterr().err
    (tmp_path / "evaluate" / RUN).write_text("{")
    assert own_runs([tmp_path], (), None) == []


def test_nothing_there_names_the_commands_with_the_flags_given(tmp_path):
    config = ReportConfig(model=("runs/a b",), data="d.jsonl", results=tmp_path)
    with pytest.raises(UserError, match=r"latentlab\.ablate --model 'runs/a b' --data d\.jsonl"):
        own_page(config)


def test_a_single_results_folder_is_a_page(own, tmp_path, capsys):
    out = tmp_path / "report.html"
    main(ReportConfig(results=own / "ablate", figures=tmp_path / "none", out=out))
    assert 'id="overview-data"' in out.read_text(encoding="utf-8")
    assert "Missing" not in capsys.readouterr().out


def test_figures_of_other_models_are_left_out(own, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "figures"
    folder.mkdir()
    index = ""
    for name, model in (("mine", "tiny"), ("theirs", "relay")):
        index += f"## {name}\n\nTitle\n\n"
        (folder / f"{name}.md").write_text("| a |\n| --- |\n| 1 |\n")
        (folder / f"{name}.csv").write_text(f"model,n\n{model},1\n")
    (folder / "README.md").write_text(index)
    page = own_page(ReportConfig(results=own))
    assert [one.name for one in page.exhibits] == ["mine"]

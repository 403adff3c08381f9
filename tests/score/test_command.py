"""Scoring from the command line: tables, bad lines, and the evaluator's own replies."""

import json
from pathlib import Path

import pandas as pd
import pytest

from latentlab.commands import start
from latentlab.evaluate.predictions import write_predictions
from latentlab.study.results import PREDICTIONS, ROWS, SUMMARY, read_results
from tests.score.lines import CHOICES, line, replies
from tests.score.test_predictions import PROBLEM


@pytest.fixture
def score(tmp_path, monkeypatch, capsys):
    """Run the command in a folder of its own; returns its exit code and streams."""
    monkeypatch.chdir(tmp_path)

    def call(*flags):
        code = start("score", [*map(str, flags)])
        return code, capsys.readouterr()

    return call


def test_files_are_scored_side_by_side_and_examples_shown(score, written):
    one, two = written(replies("(B)", "so (B)"), "one.jsonl"), written([line()], "two.jsonl")
    code, streams = score(one, two)
    assert code == 0, streams.err
    assert "official (M3CoT) %" in streams.out
    assert "index (ScienceQA) %" not in streams.out
    assert (
        "one.jsonl, line 2: only official is right, official reads B (brackets), strict none"
        in (streams.out)
    )
    assert "one: 100 % [34, 100] by the official rule, 50 %" in streams.out
    assert "official and strict read 1 replies differently" in streams.out
    results = read_results(Path("results/score"))
    assert results.rows["model"].tolist() == ["one", "one", "two"]
    assert results.run["left_out"] == []


def test_a_bad_line_is_told_and_counted_and_strict_stops_on_it(score, written, refused):
    path = written([line(), "{", line(id="q2", answer="D"), line(id="q3")])
    code, streams = score(path)
    assert code == 0
    assert f"warning: {path}, line 2: not valid JSON" in streams.err
    assert "2 lines could not be read and are left out." in streams.out
    results = read_results(Path("results/score"))
    assert len(results.rows) == 2
    assert len(results.run["left_out"]) == 2
    for file in (ROWS, SUMMARY, "run.json"):
        (Path("results/score") / file).unlink()
    Path("results/score").rmdir()
    assert f"{path}, line 2: not valid JSON" in refused(score(path, "--strict"))


def test_results_of_scienceqa_need_their_problems(score, written, refused):
    path = written([json.dumps({"results": {"4": 1, "5": 0}})], "results.json")
    assert "--problems" in refused(score(path))
    problems = written([json.dumps({"4": PROBLEM, "5": PROBLEM})], "problems.json")
    code, streams = score(path, "--problems", problems)
    assert code == 0, streams.err
    assert "has image" in streams.out
    assert "50 % [9, 91] by the index rule, of 2 questions." in streams.out


def test_what_cannot_be_meant_is_refused_in_one_line(score, written, refused):
    path = written([line()])
    assert "cannot be read" in refused(score("nowhere.jsonl"))
    assert "named twice" in refused(score(path, path))
    assert "--marker" in refused(score(path, "--marker", ""))
    assert "--examples" in refused(score(path, "--examples", "-1"))
    assert "no file to score" in refused(score())


def test_rows_are_written_as_lines_and_read_back_the_same(score, tmp_path):
    told = {"B": 1, "a cat": 0, "none": -1}
    asked = {"choices": CHOICES, "answer": "B", "messages": ["?"], "answer_marker": "Answer"}
    asked |= {"subject": "natural science", "grade": "grade8", "hint": "no", "has_text": True}
    rows = pd.DataFrame(
        {
            "example": f"q{i}",
            "model": "mine",
            "data": "some",
            "intervention": "none",
            "domain": "pets",
            "topic": "",
            "asked": json.dumps(asked | {"answer_form": "letter" if said == "B" else "text"}),
            "text": f"steps Answer {said}",
            "option_logprobs": [-2.0, -1.0, -3.0],
            "cluster": ["scan"],
        }
        for i, said in enumerate(told)
    )
    unknown = rows.assign(asked=json.dumps(asked | {"answer": ""}), example="unknown")
    assert write_predictions(unknown, tmp_path) == 0
    assert not list(tmp_path.iterdir())
    assert write_predictions(pd.concat([rows, unknown]), tmp_path) == 3
    assert [path.name for path in tmp_path.iterdir()] == [PREDICTIONS]
    code, streams = score(tmp_path)
    assert code == 0, streams.err
    found = read_results(Path("results/score")).rows
    assert found["choice"].fillna(-1).tolist() == list(told.values())
    assert found["correct_likelihood"].all()
    assert found["has_text"].all()
    assert found["scienceqa"].all()
    assert set(found["model"]) == {"mine"}
    assert set(found["grade"]) == {"grade8"}


@pytest.mark.slow
def test_the_accuracies_of_a_run_are_those_of_its_predictions(score):
    flags = ["--model", "cot", "ivtlr", "--limit", "24", "--no-image"]
    assert start("evaluate", flags) == 0
    code, streams = score("results/evaluate")
    assert code == 0, streams.err
    names = ["model", "intervention", "domain", "topic"]
    run = read_results(Path("results/evaluate")).summary
    run = run[run["hops"].astype(str) == "all"].set_index(names).sort_index()
    again = read_results(Path("results/score")).summary.set_index(names).sort_index()
    columns = [
        "n",
        *(f"{name}{end}" for name in ("accuracy", "likelihood") for end in ("", "_low", "_high")),
    ]
    assert run["accuracy"].max() > 0.9
    pd.testing.assert_frame_equal(run[columns], again[columns])

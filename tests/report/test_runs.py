"""Findings of the page are those that a command told when it ran."""

import dataclasses

import pandas as pd
import pytest

from latentlab.attention.config import AttentionConfig
from latentlab.attention.findings import conclusion
from latentlab.attention.readout_findings import readout
from latentlab.attention.summary import summary_of
from latentlab.data import load_data
from latentlab.figures.experiment import Study
from latentlab.report.runs import ToldStudy, told
from latentlab.study.results import read_results, write_results
from tests.records import UNTOLD


@pytest.fixture
def results(measured, qwen, tmp_path):
    """Results of an instrument whose lines leave steps, layers and comparisons empty."""
    config = AttentionConfig(model=("tiny",), explicit=(), limit=12)
    rows = measured("attention", config, qwen, load_data("benchmark", limit=12))
    summary = summary_of(rows)
    record = UNTOLD | {
        "command": "attention",
        "config": dataclasses.asdict(config) | {"out": None},
        "versions": {},
        "checkpoints": {},
    }
    write_results(tmp_path / "attention", rows, summary, record)
    return config, summary, read_results(tmp_path / "attention")


def test_sentences_from_disk_are_those_of_the_run(results, tmp_path):
    config, summary, read = results
    assert (read.summary["against"] == "").any()  # what a file does not tell from missing
    study = Study("attention", "attention", config)
    other = Study("none", "ablate", config)
    (run,) = told({"attention": read}, [other, study], tmp_path)
    assert run.sentences == [*conclusion(summary, config.top), *readout(summary)]
    assert str(tmp_path / "attention") in run.command_line


def test_runs_come_in_the_order_of_the_questions(results, tmp_path):
    config, _, read = results
    names = {"attention": "attention", "probe": "probe", "answers": "evaluate"}
    studies = [Study(name, command, config) for name, command in names.items()]
    found = dict.fromkeys(names, read)
    order = [run.study.name for run in told(found, studies, tmp_path)]
    assert order == ["answers", "attention", "probe"]
    assert isinstance(ToldStudy(studies[0], read, "").results.summary, pd.DataFrame)

"""Data is opened again as the record of a run says, and what is left out is told in one line."""

from latentlab.command import CommonConfig
from latentlab.data import Benchmark, export, load_data
from latentlab.study.asked import load_for, load_recorded, tell_left_out
from latentlab.study.provenance import resolve


def test_flags_and_the_record_of_a_run_name_the_same_examples():
    config = CommonConfig(data="benchmark:size=3", seed=4, split="train")
    asked = load_for(config)
    assert [one.id for one in asked] == ["train-4-0", "train-4-1", "train-4-2"]
    assert list(load_recorded(resolve(config))) == list(asked)
    assert len(load_recorded(resolve(config), limit=2)) == 2
    assert load_for(config, "test", 1)[0].id == "test-4-0"
    old = {"data": "benchmark", "seed": 0}  # a record from before there were splits to choose
    assert isinstance(data := load_recorded(old), Benchmark)
    assert data[0].id == "test-0-0"


def test_a_record_is_read_also_where_some_of_its_examples_are_bad(tmp_path):
    export(load_data("benchmark", limit=2), tmp_path / "mine")
    with (tmp_path / "mine" / "data.jsonl").open("a") as stream:
        stream.write("{")
    assert len(load_recorded({"data": str(tmp_path / "mine"), "seed": 0, "strict": True})) == 2


def test_the_first_reasons_are_told_and_the_others_counted(capsys):
    tell_left_out("mine", [])
    assert capsys.readouterr().err == ""
    tell_left_out("mine", ["line 2: no"])
    told = "warning: mine: 1 example cannot be used and is left out: line 2: no (--strict stops"
    assert capsys.readouterr().err.startswith(told)
    tell_left_out("mine", [f"line {i}: no" for i in range(9)])
    told = capsys.readouterr().err
    assert "9 examples cannot be used and are left out: line 0: no; line 1: no; line 2: no" in told
    assert "... and 6 more (--strict stops at the first)" in told

"""Specs: the one word a user gives names the right examples, or says what would have."""

import pytest

from latentlab.data import Benchmark, BenchmarkConfig, Example, export, load_data
from latentlab.errors import UserError


def test_the_plain_name_is_the_default_benchmark():
    data = load_data("benchmark")
    assert len(data) == 2000
    assert data[7] == Benchmark()[7]


def test_options_reach_the_configuration():
    data = load_data("benchmark:domain=digits+letters,hops=1+4,seed=5,size=40,split=validation")
    config = BenchmarkConfig("validation", 5, ("digits", "letters"), hops=(1, 4), size=40)
    assert list(data) == list(Benchmark(config))


def test_split_and_seed_come_from_the_call_unless_the_spec_has_its_own():
    assert load_data("benchmark", split="train", seed=4)[0].id == "train-4-0"
    assert load_data("benchmark:split=test,seed=2", split="train", seed=4)[0].id == "test-2-0"


def test_limit_takes_the_first():
    assert len(load_data("benchmark", limit=3)) == 3
    assert len(load_data("benchmark:size=2", limit=3)) == 2
    with pytest.raises(UserError, match="at least 1"):
        load_data("benchmark", limit=0)


def test_a_folder_may_have_one_folder_per_split(tmp_path):
    export([Example("one", "?", (), "yes", None)], tmp_path / "flat")
    for split in ("train", "test"):
        export([Example(split, "?", (), "yes", None)], tmp_path / "split" / split)
    assert load_data(str(tmp_path / "flat"), split="train")[0].id == "one"
    assert load_data(str(tmp_path / "split"), split="train")[0].id == "train"
    assert load_data(str(tmp_path / "split"))[0].id == "test"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("benchmrk", "did you mean 'benchmark'"),
        ("no/such/folder", "no source or folder"),
        ("benchmark:domian=digits", "did you mean 'domain'"),
        ("benchmark:domain=digit", "did you mean 'digits'"),
        ("benchmark:split=tests", "did you mean 'test'"),
        ("benchmark:hops=four", "hops=four is not made of numbers"),
        ("benchmark:hops", "not of the form option=value"),
        ("benchmark:hops=", "not of the form option=value"),
    ],
)
def test_what_nothing_is_called_is_met_with_a_suggestion(spec, message):
    with pytest.raises(UserError, match=message):
        load_data(spec)

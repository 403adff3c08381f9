from pathlib import Path

import pytest

from latentlab.commands import start
from latentlab.data import load_data


@pytest.fixture
def export(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)

    def call(*flags: str):
        return start("export", flags), capsys.readouterr()

    return call


def test_an_exported_folder_holds_the_same_examples(export):
    spec = "benchmark:domain=digits,hops=2"
    code, streams = export("--data", spec, "--limit", "3", "--seed", "5", "--out", "mine")
    assert code == 0
    assert streams.out == "3 examples are in mine/data.jsonl; use --data mine\n"
    for ours, theirs in zip(load_data("mine"), load_data(spec, seed=5, limit=3), strict=True):
        assert ours.image.tobytes() == theirs.image.tobytes()
        assert (ours.id, ours.choices, ours.trace) == (theirs.id, theirs.choices, theirs.trace)


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--limit", "0", "--out", "mine"], "--limit"),
        (["--seed", "-1", "--out", "mine"], "--seed"),
        (["--data", "benchmrk", "--out", "mine"], "did you mean 'benchmark'?"),
        (["--out", "."], "not an empty folder"),
    ],
)
def test_what_cannot_be_meant_is_one_line_and_writes_nothing(flags, named, export):
    Path("kept.txt").write_text("kept")
    code, streams = export(*flags)
    assert code == 2
    assert named in streams.err
    assert streams.err.count("\n") == 1
    assert [path.name for path in Path().iterdir()] == ["kept.txt"]

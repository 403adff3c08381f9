"""A command on a table of one's own: bad examples are counted and never lose the run."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from latentlab.commands import start

SAMPLES = Path(__file__).parents[1] / "samples"
COLUMNS = ("question=q", "image=img", "choices=a+b+c", "answer=gold", "groups=school")


@pytest.fixture
def ask(untrained, tmp_path, monkeypatch):
    """A function that runs a command on the sample table with one bad row and one bad picture."""
    shutil.copytree(SAMPLES / "own", tmp_path / "own")
    monkeypatch.chdir(tmp_path / "own")
    with Path("rods.csv").open("a") as table:
        table.write("What now?,pictures/0.png,x,y,z,w,because,west\n")
    Path("pictures/2.png").write_bytes(b"no picture")

    def run(name, *flags, columns=COLUMNS):
        given = ["--model", str(untrained / "ivtlr"), "--data", "rods.csv:size=112", "--out", "out"]
        return start(name, [*given, "--columns", *columns, *flags])

    return run


@pytest.mark.parametrize("name", ["evaluate", "attention", "lens"])
def test_what_is_sound_is_run_and_what_is_not_is_counted(name, ask, capsys):
    assert ask(name) == 0
    rows = pd.read_parquet("out/rows.parquet")
    assert rows["example"].unique().tolist() == ["rods-1", "rods-2", "rods-4"]
    schools = rows.groupby("example")["school"].first()
    assert schools.to_dict() == {"rods-1": "south", "rods-2": "north", "rods-4": "north"}
    record = json.loads(Path("out/run.json").read_text())
    assert record["left_out"]["examples"] == 2
    assert record["config"]["columns"] == list(COLUMNS)
    bad_row, bad_picture = record["left_out"]["first"]
    assert "rods.csv, line 10: " in bad_row
    assert "rods.csv, line 6, example rods-3: 2.png is no readable image" in bad_picture
    told = capsys.readouterr().err
    assert "rods.csv:size=112: 2 examples cannot be used and are left out" in told


@pytest.mark.parametrize(
    ("flags", "columns", "message"),
    [
        (["--strict"], COLUMNS, "rods.csv, line 10: example rods-5: the answer 'w' is not among"),
        ([], COLUMNS[:3], "has no column 'answer'; say which one it is with --columns answer=NAME"),
        (["--split", "tset"], COLUMNS, "no split is called 'tset'; did you mean 'test'?"),
    ],
)
def test_a_refusal_is_one_line_and_leaves_nothing(flags, columns, message, ask, capsys):
    assert ask("evaluate", *flags, columns=columns) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1
    assert not Path("out").exists()


def test_strict_stops_at_a_picture_as_well(ask, capsys):
    lines = Path("rods.csv").read_text().splitlines()
    Path("rods.csv").write_text("\n".join(lines[:-1]))
    assert ask("evaluate", "--strict") == 2
    assert "line 6, example rods-3: 2.png is no readable image" in capsys.readouterr().err
    assert not Path("out").exists()

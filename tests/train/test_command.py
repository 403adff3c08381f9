"""The command: flags over the file's settings, its last words, its errors and its silence."""

import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

import latentlab
from latentlab import console
from latentlab.command import CommonConfig
from latentlab.commands import start
from latentlab.errors import UserError
from latentlab.train.config import TrainFlags
from latentlab.train.run import main, settings
from latentlab.training.config import read_config
from latentlab.training.held_out import held_out_name

SOURCE = Path(latentlab.__file__).parent.parent
FILE = {
    "name": "little",
    "init": {
        "hidden": 32,
        "layers": 2,
        "heads": 2,
        "feed_forward": 64,
        "vision_layers": 1,
        "vision_hidden": 32,
    },
    "plan": {"steps": 1, "k": 1},
    "stages": [{"name": "latent", "updates": 2, "latent_steps": 1, "batch_size": 4}],
    "eval_examples": 8,
    "log_every": 1,
}


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "little.yaml"
    file.write_text(yaml.safe_dump(FILE))
    return file


def command(*arguments: object) -> int:
    return start("train", [str(argument) for argument in arguments])


@pytest.mark.slow
def test_a_training_from_the_command_line(path, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "latentlab.train", path, "--seed", "3", "--device", "cpu"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "runs" / "little-s3"
    kept = {"config.yaml", "metrics.jsonl", "latent", "final"}
    assert {file.name for file in folder.iterdir()} == kept
    assert (folder / "final" / "model.safetensors").is_file()
    assert "the model is in runs/little-s3/final" in done.stdout
    start, first, second, end = done.stderr.splitlines()
    assert start == "little latent: 2 updates"
    assert first.startswith("little latent update 1/2 loss ")
    assert second.startswith("little latent update 2/2 loss ")
    assert end.startswith("little latent: held-out accuracy ") and end.endswith("%, n=8")


def test_last_words_are_what_was_found_and_where_it_is(path, tmp_path, capsys):
    out = tmp_path / "run"
    assert command(path, "--out", out) == 0
    shown = capsys.readouterr()
    metrics = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    for group, value in metrics[-1]["held_out"].items():
        ends = [f"{100 * value[end]:.0f}" for end in ("accuracy", "low", "high")]
        numbers = f"{ends[0]} [{ends[1]}, {ends[2]}]"
        (line,) = (line for line in shown.out.splitlines() if line.startswith(f"{group} "))
        assert f" {value['n']} " in line and numbers in line
    last = f"little is trained: the model is in {out}/final, the log in {out}/metrics.jsonl."
    assert shown.out.splitlines()[-1] == last
    assert command(path, "--out", out) == 0
    again = capsys.readouterr()
    assert (again.out, again.err) == (shown.out, "")


def test_a_mistake_is_one_line(path, tmp_path, capsys):
    assert command(path, "--out", tmp_path, "--limit", 5) == 2
    assert capsys.readouterr().err == (
        f"error: {tmp_path} is there and holds no training; choose another --out\n"
    )
    path.write_text(yaml.safe_dump({**FILE, "sed": 1}))
    assert command(path) == 2
    expected = f"error: {path}, line 14: unknown field 'sed'; did you mean 'seed'?\n"
    assert capsys.readouterr() == ("", expected)


def test_flags_take_the_place_of_settings(path):
    config = settings(TrainFlags(config=path))
    assert config == read_config(path)
    flags = {"model": "relay", "data": "benchmark:hops=2", "limit": 5, "batch_size": 7, "seed": 2}
    changed = settings(TrainFlags(config=path, **flags))
    assert (changed.init, changed.seed, changed.eval_examples) == ("relay", 2, 5)
    assert {held_out_name(changed), changed.stages[0].data} == {"benchmark:hops=2"}
    assert changed.stages[0].batch_size == 7
    with pytest.raises(UserError, match="batch_size is 0; give a whole number from 1"):
        settings(TrainFlags(config=path, batch_size=0))


def test_a_terminal_gets_a_bar_and_no_line_for_each_loss(path, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(console.remarks, "_force_terminal", True)
    main(TrainFlags(config=path, out=tmp_path / "run"))
    shown = capsys.readouterr().err
    assert "2/2" in shown and "loss=" in shown
    assert "update 1/2" not in shown and "grad_norm" not in shown


def test_help_tells_of_the_flags_that_all_commands_share(capsys):
    with pytest.raises(SystemExit):
        command("--help")
    shown = capsys.readouterr().out
    for field in fields(CommonConfig):
        if field.name in ("split", "columns", "strict"):
            continue  # a training has its splits, and columns stand in what it calls its data
        if field.name == "wide":
            continue  # its tables leave nothing out
        if field.name in ("plan", "dtype"):
            continue  # a training has its own, in its file: what it makes is saved under them
        if field.name == "processes":
            continue  # a launcher starts those of a training
        assert f"--{field.name.replace('_', '-')} " in shown

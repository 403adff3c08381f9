"""Processes that work together, and how they end when one of them fails."""

import os
import signal
import subprocess
import sys
from functools import partial

import pandas as pd
import pytest
import torch

from latentlab.command import run
from latentlab.commands import start
from latentlab.errors import UserError
from latentlab.processes import group
from latentlab.processes.spawn import spawn
from latentlab.study.results import read_results
from tests.processes.work import SleepConfig, fail, sleep, triple


def test_one_process_does_everything_in_order():
    assert group.divided(iter("abc"), str.upper) == ["A", "B", "C"]
    assert (group.count(), group.is_main()) == (1, True)


@pytest.mark.slow
def test_each_has_all_results_in_order_and_the_first_one_speaks(tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "before")
    with pytest.raises(SystemExit) as ended:
        spawn(2, partial(triple, tmp_path))
    assert ended.value.code == 7
    assert os.environ["OMP_NUM_THREADS"] == "before"
    for rank in range(2):
        found = torch.load(tmp_path / f"{rank}.pt")
        assert [who for who, _ in found["made"]] == [0, 1, 0, 1, 0]
        assert [value.tolist() for _, value in found["made"]] == [[3.0 * i] * 2 for i in range(5)]
        assert (found["main"], found["threads"]) == (rank == 0, 1)
    assert capfd.readouterr().out == "said by 0\n"


@pytest.mark.slow
def test_what_fails_in_one_process_is_told_once_and_ends_all(capfd):
    with pytest.raises(SystemExit) as ended:
        spawn(2, partial(fail, "refuse"))
    assert ended.value.code == 2
    assert capfd.readouterr().err == "error: picture 1 cannot be read\n"


@pytest.mark.slow
def test_a_killed_process_ends_all(capfd):
    with pytest.raises(UserError, match=r"process 2 of 2 was killed \(SIGKILL\)"):
        spawn(2, partial(fail, "kill"))
    assert capfd.readouterr().err == ""


@pytest.mark.slow
def test_ctrl_c_ends_all_with_one_line():
    code = "from tests.processes.work import *; sys.exit(run(SleepConfig, sleep, 'sleep'))"
    alone = subprocess.Popen(
        [sys.executable, "-c", code, "--processes", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert alone.stdout is not None
    assert alone.stdout.readline() == "begun\n"
    os.killpg(alone.pid, signal.SIGINT)
    out, err = alone.communicate(timeout=60)
    assert (alone.returncode, out, err) == (130, "", "error: interrupted\n")


def test_a_launcher_has_started_as_many_as_it_has(monkeypatch, capsys):
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert run(SleepConfig, sleep, "sleep", ["--processes", "2"]) == 2
    assert "a launcher has started 4 processes; leave it out" in capsys.readouterr().err


def test_no_process_is_too_few(capsys):
    assert run(SleepConfig, sleep, "sleep", ["--processes", "0"]) == 2
    assert "--processes 0 is too small: it is at least 1" in capsys.readouterr().err


@pytest.mark.slow
def test_a_command_takes_processes_from_its_flag_and_from_a_launcher(untrained, tmp_path, capfd):
    asked = ["--model", str(untrained / "ivtlr"), "--limit", "7", "--batch-size", "3"]
    asked += ["--max-new-tokens", "4", "--device", "cpu", "--out"]
    assert start("evaluate", [*asked, str(tmp_path / "one")]) == 0
    alone = capfd.readouterr()
    assert start("evaluate", [*asked, str(tmp_path / "flag"), "--processes", "2"]) == 0
    shared = capfd.readouterr()
    assert shared.err == alone.err
    assert len(shared.out.splitlines()) == len(alone.out.splitlines())
    launch = [sys.executable, "-m", "accelerate.commands.accelerate_cli", "launch"]
    launch += ["--multi_gpu", "--num_processes", "2", "--main_process_port", "0"]
    command = [*launch, "-m", "latentlab.evaluate", *asked, str(tmp_path / "launcher")]
    subprocess.run(command, check=True, capture_output=True)
    one, flag, launcher = (read_results(tmp_path / name) for name in ("one", "flag", "launcher"))
    for other in (flag, launcher):
        timed = ["seconds", "times"]
        pd.testing.assert_frame_equal(
            one.rows.drop(columns=timed), other.rows.drop(columns=timed), check_exact=True
        )
        assert other.run["processes"] == 2
    # How many there are is no setting of the results: the folder may be made again by one.
    assert start("evaluate", [*asked, str(tmp_path / "flag")]) == 0

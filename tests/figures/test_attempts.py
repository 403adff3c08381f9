"""Studies that run at a time give what they give one after another."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch

from latentlab.errors import UserError
from latentlab.evaluate.config import EvaluateConfig
from latentlab.figures.attempts import run_studies
from latentlab.figures.config import FiguresConfig
from latentlab.figures.experiment import Study
from latentlab.study.results import read_results

STUDIES = [
    Study("one", "evaluate", EvaluateConfig(model=("no_cot",), limit=3)),
    Study("none", "evaluate", EvaluateConfig(model=("nobody",), limit=3)),
    Study("other", "evaluate", EvaluateConfig(model=("no_cot",), data="benchmark:hops=1", limit=3)),
]


def test_studies_at_a_time_are_those_one_after_another(tmp_path, capsys):
    alone = run_studies(STUDIES, tmp_path / "alone")
    together = run_studies(STUDIES, tmp_path / "together", processes=2)
    assert list(alone) == list(together) == ["none"]
    assert "no model" in together["none"]
    for name in ("one", "other"):
        rows = [read_results(tmp_path / way / name).rows for way in ("alone", "together")]
        rows = [frame.drop(columns=["seconds", "times"], errors="ignore") for frame in rows]
        pd.testing.assert_frame_equal(*rows)
    told = capsys.readouterr().err
    assert told.count("study 3 of 3") == 2
    assert told.count("none is left out") == 2


class Threads(Study):
    """A study that tells how many threads it was given."""

    def run(self, results):
        raise UserError(os.environ["OMP_NUM_THREADS"])


def test_studies_at_a_time_share_the_threads(tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    studies = [Threads(name, "evaluate", STUDIES[0].config) for name in ("one", "other")]
    assert run_studies(studies, tmp_path, processes=2) == {"one": "2", "other": "2"}


class Endless(Study):
    """A study that tells which process runs it, and does not end."""

    def run(self, results):
        (results / self.name).write_text(str(os.getpid()))
        time.sleep(600)


KILLED = """
from pathlib import Path
from latentlab.figures.attempts import run_studies
from tests.figures.test_attempts import STUDIES, Endless
if __name__ == "__main__":
    studies = [Endless(name, "evaluate", STUDIES[0].config) for name in ("one", "other")]
    run_studies(studies, Path({folder!r}), processes=2)
"""


@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are looked up in /proc")
def test_processes_end_with_the_one_that_started_them(tmp_path):
    script = tmp_path / "killed.py"
    script.write_text(KILLED.format(folder=str(tmp_path)))
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        [sys.executable, str(script)], env=os.environ | {"PYTHONPATH": path}
    ) as run:
        told = [tmp_path / "one", tmp_path / "other"]
        assert within(60, lambda: all(file.exists() and file.read_text() for file in told))
        workers = [int(file.read_text()) for file in told]
        run.kill()
    assert within(20, lambda: not any(is_running(worker) for worker in workers))


def within(seconds, condition):
    """Whether something becomes true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def is_running(pid):
    """Whether there is such a process, and it has not ended yet."""
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.parametrize("wrong", [0, -1, 10**6])
def test_numbers_of_processes_that_cannot_be_meant_are_refused(wrong):
    with pytest.raises(UserError, match="--processes"):
        FiguresConfig(processes=wrong)

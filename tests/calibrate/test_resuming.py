"""A killed calibration goes on: batches that are finished are not run again."""

from pathlib import Path

import pandas as pd
import pytest

from latentlab.calibrate import run, runs
from latentlab.commands import start
from latentlab.study import progress
from latentlab.study.results import read_results

ASKED = ("--model", "relay", "--limit", "2", "--batch-size", "8", "--device", "cpu")


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def calibrated(monkeypatch, tmp_path):
    """Makes a function that calibrates on one model; it returns how many batches were run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(progress, "INTERVAL", -1.0)  # each batch is kept once it is finished
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(runs, "PROBED", 16)
    monkeypatch.setattr(runs, "REFERENCE", 6)
    monkeypatch.setattr(run, "ORGANISMS", ("relay",))
    keep = progress.Progress.keep

    def calibrate(out: str, die_after: int | None = None) -> int:
        finished = []

        def kept(self):
            finished.extend(self._new)
            keep(self)
            if len(finished) == die_after:
                raise Killed

        with monkeypatch.context() as patched:
            patched.setattr(progress.Progress, "keep", kept)
            start("calibrate", (*ASKED, "--out", out))
        return len(finished)

    return calibrate


def test_a_killed_calibration_runs_only_what_is_left(calibrated):
    whole = calibrated("whole")
    with pytest.raises(Killed):
        calibrated("resumed", die_after=whole - 3)
    assert not Path("resumed").exists()
    assert calibrated("resumed") == 3
    one, other = (read_results(Path(name)) for name in ("whole", "resumed"))
    pd.testing.assert_frame_equal(one.rows, other.rows, check_exact=True)
    pd.testing.assert_frame_equal(one.summary, other.summary, check_exact=True)
    assert not list(Path().glob(".*"))

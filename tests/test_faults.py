"""Commands that are killed, that meet a limit, or that are interrupted twice: real processes."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from matplotlib import pyplot as plt

from latentlab.figures.artifacts import Drawing, write
from latentlab.files import held
from latentlab.study.results import read_results

pytestmark = pytest.mark.slow

EVALUATE = "evaluate --model cot --limit 24 --batch-size 8 --max-new-tokens 16 --out results/out"


def begun(line: str, limit: int | None = None) -> "subprocess.Popen[str]":
    """A command in a process group of its own, which may write files of a size at most."""

    def limited() -> None:
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    name, *flags = line.split()
    return subprocess.Popen(
        [sys.executable, "-m", f"latentlab.{name}", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=limited,
    )


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    _, errors = process.communicate(timeout=600)
    return process.returncode, errors


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Commands run in an empty folder, by the package of this checkout."""
    root = Path(__file__).parent.parent
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.chdir(tmp_path)


def test_a_killed_command_leaves_finished_folders_only():
    place = Path("results/out")
    started = time.monotonic()
    code, errors = ended(begun(EVALUATE))
    took = time.monotonic() - started
    assert code == 0, errors
    for share in (0.7, 0.95):
        process = begun(EVALUATE)
        time.sleep(share * took)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert len(read_results(place).rows) == 24
    code, errors = ended(begun(EVALUATE))
    assert code == 0, errors
    assert len(read_results(place).rows) == 24
    assert not list(place.parent.rglob(".*"))


def drawn() -> Drawing:
    figure, axes = plt.subplots()
    axes.plot([0, 1])
    return Drawing(figure, pd.DataFrame({"x": [0, 1]}), "A line.")


def test_a_killed_figure_leaves_no_empty_pictures(tmp_path):
    write(drawn(), "line", tmp_path)
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        child = os.fork()
        if child == 0:
            for _ in range(1000):
                write(drawn(), "line", tmp_path)
            os._exit(0)
        time.sleep(share)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        shown = [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
        assert {path.name: path.stat().st_size for path in shown} == sizes
    with held(tmp_path):
        assert {path.name for path in tmp_path.iterdir()} == set(sizes)


def test_a_limit_on_files_is_one_line():
    code, errors = ended(begun(EVALUATE, 20_000))
    assert code == 2
    assert "Traceback" not in errors
    told = [text for text in errors.splitlines() if text.startswith("error: ")]
    assert len(told) == 1
    assert "cannot be written: File too large" in told[0]
    assert not Path("results/out").exists()


def test_an_impatient_user_sees_one_line():
    process = begun(EVALUATE)
    assert process.stderr is not None
    time.sleep(3)
    for _ in range(3):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.2)
    code, errors = ended(process)
    if code == 0:
        pytest.skip("it was faster than the user")
    assert code in (130, -signal.SIGINT)
    assert "Traceback" not in errors

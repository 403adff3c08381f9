"""Commands that are killed, that meet a limit, or that are interrupted twice: real processes."""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch
from matplotlib import pyplot as plt

from latentlab.commands import start
from latentlab.figures.artifacts import Drawing, write
from latentlab.files import held
from latentlab.study.results import read_results

pytestmark = pytest.mark.slow

NOT_PERMITTED = 77
"""Exit code of a process that was not allowed to make its limits."""

NEW_MOUNTS, NEW_USERS = 0x20000, 0x10000000
"""CLONE_NEWNS and CLONE_NEWUSER of Linux."""

EVALUATE = "evaluate --model cot --limit 24 --batch-size 8 --max-new-tokens 16 --out results/out"


def begun(errors: Path, before: Callable[[], None] = lambda: None) -> int:
    """A command in a forked process, which has nothing to import; returns the process's number.

    Args:
        errors: where its standard error goes, and a list of what it leaves in its results.
        before: what is done in it first.
    """
    child = os.fork()
    if child:
        return child
    try:
        code = NOT_PERMITTED
        # A pool of threads that was made before the fork has none here: whoever asks it waits.
        torch.set_num_threads(1)
        with Path(os.devnull).open("w") as sys.stdout, errors.open("w") as sys.stderr:
            before()
            code = 1  # of whatever is raised from here on
            name, *flags = EVALUATE.split()
            code = start(name, flags)
        left = sorted(str(path) for path in Path("results").rglob("*"))
        errors.with_suffix(".left").write_text("\n".join(left))
    finally:  # nothing of the tests may go on in here
        os._exit(code)


def ended(child: int) -> int:
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def small_files() -> None:
    """No file may be larger than this."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def small_disk() -> None:
    """The results are on a disk of 16 KB, which only this process sees."""
    system = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if system.unshare(NEW_MOUNTS | NEW_USERS):
        raise PermissionError(ctypes.get_errno(), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    Path("results").mkdir()
    if system.mount(b"tmpfs", b"results", b"tmpfs", 0, b"size=16k"):
        raise PermissionError(ctypes.get_errno(), "mount")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Commands run in an empty folder, by the package of this checkout."""
    root = Path(__file__).parent.parent
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.chdir(tmp_path)


def test_a_killed_command_leaves_finished_folders_only():
    place, errors = Path("results/out"), Path("errors")
    started = time.monotonic()
    assert ended(begun(errors)) == 0, errors.read_text()
    took = time.monotonic() - started
    for share in (0.3, 0.7, 0.95):
        child = begun(errors)
        time.sleep(share * took)
        os.kill(child, signal.SIGKILL)
        ended(child)
        assert len(read_results(place).rows) == 24
    assert ended(begun(errors)) == 0, errors.read_text()
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


@pytest.mark.parametrize(
    ("limit", "reason"),
    [(small_files, "File too large"), (small_disk, "No space left on device")],
)
def test_a_full_disk_or_a_limit_on_files_is_one_line(limit, reason):
    errors = Path("errors")
    code = ended(begun(errors, limit))
    if code == NOT_PERMITTED:
        pytest.skip("this system lets nobody but root mount")
    assert code == 2, errors.read_text()
    assert "Traceback" not in errors.read_text()
    told = [text for text in errors.read_text().splitlines() if text.startswith("error: ")]
    assert len(told) == 1
    assert f"cannot be written: {reason}" in told[0]
    assert errors.with_suffix(".left").read_text() == ""


def test_an_impatient_user_sees_one_line():
    name, *flags = EVALUATE.split()
    process = subprocess.Popen(
        [sys.executable, "-m", f"latentlab.{name}", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    time.sleep(3)
    for _ in range(3):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.2)
    _, errors = process.communicate(timeout=600)
    if process.returncode == 0:
        pytest.skip("it was faster than the user")
    assert process.returncode in (130, -signal.SIGINT)
    assert "Traceback" not in errors

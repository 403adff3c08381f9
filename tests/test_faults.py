"""Commands that are killed, that meet a limit, or that are interrupted twice: real processes."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from latentlab.study.results import read_results

pytestmark = pytest.mark.slow

EVALUATE = "evaluate --model cot --limit 24 --batch-size 8 --max-new-tokens 16 --out results/out"
FIGURES = "figures benchmark_example --out drawn"


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


def whole(line: str) -> bool:
    """Whether what a command leaves is complete."""
    if line == EVALUATE:
        return len(read_results(Path("results/out")).rows) == 24
    shown = [path for path in Path("drawn").iterdir() if not path.name.startswith(".")]
    return all(path.stat().st_size for path in shown)


@pytest.mark.parametrize("line", [EVALUATE, FIGURES])
def test_a_killed_command_leaves_finished_folders_only(line):
    place = Path(line.split()[-1])
    started = time.monotonic()
    code, errors = ended(begun(line))
    took = time.monotonic() - started
    assert code == 0, errors
    for share in (0.55, 0.8, 0.95):
        process = begun(line)
        time.sleep(share * took)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert place.is_dir()
        assert whole(line)
    code, errors = ended(begun(line))
    assert code == 0, errors
    assert whole(line)
    assert not list(place.parent.rglob(".*"))


@pytest.mark.parametrize(("line", "limit"), [(EVALUATE, 20_000), (FIGURES, 10_000)])
def test_a_limit_on_files_is_one_line(line, limit):
    code, errors = ended(begun(line, limit))
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

"""Whatever ends a process, a place holds the old or the new, and the next run clears what is left.

Processes are forked and killed at moments of chance; nothing here asserts how long anything takes.
"""

import os
import resource
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from latentlab import files
from latentlab.errors import UserError
from latentlab.files import check_folder, held, replacing, write_folder, write_text

SIZE = 200_000


def forked(work) -> int:
    """Run something in a child that never returns; its process id."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            os._exit(1)
    return child


def killed(work, after: float) -> None:
    child = forked(work)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def generation(letter: str):
    """Writes two files that belong together."""

    def write(folder: Path) -> None:
        (folder / "rows").write_text(letter * SIZE)
        (folder / "summary").write_text(letter)

    return write


def over_and_over(target: Path) -> None:
    with held(target):
        for number in range(10_000):
            write_folder(target, generation("ab"[number % 2]), own=("rows", "summary"))


@pytest.mark.parametrize("swaps", [True, False])
def test_a_folder_is_whole_whenever_its_writer_is_killed(tmp_path, monkeypatch, swaps):
    if not swaps:
        monkeypatch.setattr(files, "_swapped", lambda one, other: False)
    target = tmp_path / "out"
    write_folder(target, generation("a"))
    (target / "notes").write_text("mine")
    for wait in np.random.default_rng(0).uniform(0.002, 0.05, 12):
        killed(lambda: over_and_over(target), wait)
        if swaps:
            assert target.is_dir()
        with held(target):  # the next run mends what only it can
            pass
        rows, summary = (target / "rows").read_text(), (target / "summary").read_text()
        assert rows == summary * SIZE
        assert (target / "notes").read_text() == "mine"
        assert entries(tmp_path) == ["out"]


def test_a_file_is_whole_whenever_its_writer_is_killed(tmp_path):
    target = tmp_path / "page.html"
    write_text(target, "a" * SIZE)

    def work() -> None:
        for number in range(10_000):
            write_text(target, "ab"[number % 2] * SIZE)

    for wait in np.random.default_rng(1).uniform(0.002, 0.03, 8):
        killed(work, wait)
        text = target.read_text()
        assert text in ("a" * SIZE, "b" * SIZE)
    with held(target):
        pass
    assert entries(tmp_path) == ["page.html"]


def test_a_place_is_held_by_one_and_the_dead_hold_nothing(tmp_path):
    place, ready = tmp_path / "out", tmp_path / "ready"

    def work() -> None:
        with held(place):
            ready.touch()
            time.sleep(60)

    child = forked(work)
    while not ready.exists():
        time.sleep(0.01)
    with pytest.raises(UserError, match="written by another run") as refused, held(place):
        pytest.fail("both have it")
    assert "\n" not in str(refused.value)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with held(place):
        assert entries(tmp_path) == [".out.lock", "ready"]
    assert entries(tmp_path) == ["ready"]


def test_a_limit_on_files_is_told_in_one_line_and_nothing_is_lost(tmp_path):
    target, page = tmp_path / "out", tmp_path / "page.html"
    write_folder(target, generation("a"))
    write_text(page, "before")

    def limited(write) -> int:
        def work() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (SIZE // 2, SIZE // 2))
            try:
                write()
            except UserError as error:
                told = str(error)
                os._exit(7 if "cannot be written: File too large" in told else 8)

        _, status = os.waitpid(forked(work), 0)
        return os.waitstatus_to_exitcode(status)

    assert limited(lambda: write_folder(target, generation("b"), own=("rows", "summary"))) == 7
    assert limited(lambda: write_text(page, "b" * SIZE)) == 7
    assert (target / "rows").read_text() == "a" * SIZE
    assert page.read_text() == "before"
    assert entries(tmp_path) == ["out", "page.html"]


def test_what_fails_while_it_is_written_leaves_what_was_there(tmp_path):
    page = tmp_path / "page.html"
    write_text(page, "before")
    with pytest.raises(KeyboardInterrupt), replacing(page) as fresh:
        fresh.write_text("half")
        raise KeyboardInterrupt
    assert page.read_text() == "before"
    assert entries(tmp_path) == ["page.html"]
    with pytest.raises(UserError, match="cannot be written: Not a directory"):
        check_folder(page)
    with pytest.raises(UserError, match="below cannot be created: "), held(page / "below"):
        pytest.fail("there is no such place")

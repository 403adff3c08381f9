"""What a hostile input may lead to: success or one line, never a traceback or a leftover."""

import json
import resource
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from latentlab import checkpoint
from latentlab.commands import start
from latentlab.figures import run as figures
from tests.hostile.attempts import check_left, check_told, limited, tried
from tests.hostile.good import DATA, EXPERIMENT, TOKENS

SECONDS = 60
"""Within which each case ends, one way or the other."""

MEMORY = 6 * 2**30
"""Address space, in bytes, that a case may take beyond what the tests hold already."""


def _ended(*_: object) -> None:
    raise TimeoutError(f"no end after {SECONDS} s")


@pytest.fixture(autouse=True)
def bounded():
    """Time and memory are bounded, whatever the input asks for."""
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, most))
    before = signal.signal(signal.SIGALRM, _ended)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def brief(name: str, flags: tuple[str, ...]) -> tuple[str, ...]:
    """Flags of a command, with answers of two words where they ask for no others."""
    short = name in TOKENS and not any(one.startswith("--max-new") for one in flags)
    return (*flags, "--max-new-tokens", "2") if short else flags


def tree(folder: Path) -> set[Path]:
    """Everything in a folder, hidden files too."""
    return set(folder.rglob("*"))


@pytest.fixture
def outcome(commanded, tmp_path) -> Callable[..., tuple[str, str]]:
    """Makes a function that runs a command and returns its error line, if any, and its remarks."""

    def run(name: str, *flags: str, quiet: bool = True) -> tuple[str, str]:
        before = tree(tmp_path)
        flags = brief(name, flags)
        try:
            code, streams = commanded(name)(*flags)
        except SystemExit as stopped:  # as the parser of flags does
            code, streams = stopped.code, None
        assert code in (0, 2), f"exit code {code}"
        if streams is None:
            return "error: usage", ""
        assert "Traceback" not in streams.err
        lines = streams.err.splitlines()
        errors = [line for line in lines if line.startswith("error:")]
        assert len(errors) == (code == 2), streams.err
        if not errors:
            return "", streams.err
        assert lines[-1] == errors[0]
        left = tree(tmp_path) - before
        assert not {path for path in left if path.name != "results"}, left
        return errors[0], streams.err

    return run


@pytest.fixture(scope="session")
def good(qwen, tmp_path_factory) -> Path:
    """A checkpoint, data and an experiment in which nothing is wrong."""
    folder = tmp_path_factory.mktemp("good")
    checkpoint.save(qwen, folder / "model")
    (folder / "data").mkdir()
    Image.new("RGB", (112, 112), "red").save(folder / "data" / "a.png")
    (folder / "data" / "data.jsonl").write_text("\n".join(map(json.dumps, DATA)))
    (folder / "experiments").mkdir()
    (folder / "experiments" / "a_table.py").write_text(EXPERIMENT)
    return folder


@pytest.fixture
def attempt(good, untrained, monkeypatch, tmp_path, capsys):
    """Makes a function that tries a command in an empty folder, after something is put there."""
    monkeypatch.setattr(checkpoint, "ZOO", untrained)
    monkeypatch.setattr(figures, "EXPERIMENTS", good / "experiments")

    def run(kind: str, prepare: Callable[[Path], None], name: str, *flags: str) -> str:
        tried[kind] += 1
        here = tmp_path / "here"
        here.mkdir()
        monkeypatch.chdir(here)
        prepare(here)
        try:
            with limited():
                code = start(name, brief(name, flags))
            out, err = capsys.readouterr()
            line = check_told(code, out, err)
            check_left(here)
            return line
        finally:
            capsys.readouterr()
            monkeypatch.chdir(tmp_path)
            shutil.rmtree(here)

    return run


@pytest.fixture
def spoilt(attempt, good):
    """Makes a function that tries a command where one file of a good folder is another."""

    def run(kind: str, part: str, file: str, content: bytes, *command: str) -> str:
        def prepare(here: Path) -> None:
            shutil.copytree(good / part, here / part)
            (here / part / file).write_bytes(content)

        return attempt(kind, prepare, *command)

    return run

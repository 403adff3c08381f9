"""What a hostile input may lead to: success or one line, never a traceback or a leftover."""

import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

SECONDS = 20
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


def tree(folder: Path) -> set[Path]:
    """Everything in a folder, hidden files too."""
    return set(folder.rglob("*"))


@pytest.fixture
def outcome(commanded, tmp_path) -> Callable[..., tuple[str, str]]:
    """Makes a function that runs a command and returns its error line, if any, and its remarks."""

    def run(name: str, *flags: str, quiet: bool = True) -> tuple[str, str]:
        before = tree(tmp_path)
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

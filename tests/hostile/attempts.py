"""One hostile input tried on a command, within bounds, and what is demanded of the outcome."""

import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SECONDS = 60
"""Within which each case ends, one way or the other."""


tried: Counter[str] = Counter()
"""How many cases of each kind were tried in this process."""


class EndlessError(BaseException):
    """A case took too long; nothing that handles errors takes it for one of its own."""


@contextmanager
def limited() -> Iterator[None]:
    """Bound the time of one case; its memory is bounded by the test."""

    def ended(*_: object) -> None:
        raise EndlessError(f"no end after {SECONDS} s")

    before = signal.signal(signal.SIGALRM, ended)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, SECONDS)  # of the test, which goes on
        signal.signal(signal.SIGALRM, before)


def check_left(folder: Path) -> None:
    """Assert that no hidden leftover is there, and no results that are not whole."""
    hidden = list(folder.rglob(".*"))
    assert not hidden, hidden
    for rows in folder.rglob("rows.parquet"):
        assert {"rows.parquet", "summary.csv", "run.json"} <= {
            p.name for p in rows.parent.iterdir()
        }


def check_told(code: object, out: str, err: str) -> str:
    """Hold an outcome against the promise; returns the line of the error, if any."""
    assert code in (0, 2), f"exit code {code!r}: {err[-500:]}"
    assert "Traceback" not in err + out
    assert not set("\x1b\x9b\u202e\u2066\0") & set(out + err), "control characters are sent"
    lines = [line for line in err.split("\n") if line]
    errors = [line for line in lines if line.startswith("error: ")]
    assert len(errors) == (code == 2), err[-1000:]
    if not errors:
        return ""
    assert lines[-1] == errors[0] and len(errors[0]) < 1500
    return errors[0]


def check_tried(request: pytest.FixtureRequest, ran: set[str], least: dict[str, int]) -> None:
    """Assert that a file's tests tried as many cases as they promise, where all of them ran."""
    path = request.node.path
    here = {item.nodeid for item in request.session.items if item.path == path}
    if here - ran or len(here) < 10:
        pytest.skip("only a part of the tests of this file ran in this process")
    sys.stdout.write(f"{dict(tried)}\n")
    few = {kind: tried[kind] for kind, count in least.items() if tried[kind] < count}
    assert not few, few

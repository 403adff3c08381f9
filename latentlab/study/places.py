"""Where a folder of results is put together, and that only one run at a time does so."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let one process at a time put results into a folder: of two runs none replaces the other.

    The lock ends with the process, however that ends, and leaves nothing behind. Where the system
    has none (Windows, some file systems) there is none.
    """
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl  # which Windows has not

        held = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        yield
        return
    try:
        with suppress(OSError):
            fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def sibling(target: Path, role: str) -> Path:
    """A hidden name next to `target`, on the same disk, so that a rename is one step."""
    return target.with_name(f".{target.name}.{os.getpid()}.{role}")

"""What a long study has done so far, kept beside its folder: where it is killed, it goes on.

Batches are cut and worked on in one order, and what is done to one depends on nothing else
(`study.batches`). So finished ones are kept under the number of the call and of their first
example, and the same command takes them up. Of another command, or another state of anything it is
made of, nothing is taken. Where the study is finished, nothing is left.

Results are Python objects, so they are pickled, and a pickle can run code: each part is signed with
a key that only this user can read, and what is signed otherwise is not opened.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from latentlab.console import note
from latentlab.data.example import Example
from latentlab.errors import UserError
from latentlab.files import replacing
from latentlab.processes import group as processes
from latentlab.processes.parcels import pack, unpack
from latentlab.study.provenance import git_revision, package_versions, resolve

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

INTERVAL = 20.0
"""Seconds after which finished batches are kept; what is done sooner is as soon done again."""

MOST_BYTES = 256_000_000
"""A larger part is not kept: activations are soon computed again, and disks are slow."""

_SIGNATURE = 32

Batch = list[tuple[int, Example]]
Result = TypeVar("Result")


class Progress:
    """Finished batches of a run, its own and those of one that was killed."""

    def __init__(self, folder: Path, key: bytes) -> None:
        """Take up what is there."""
        self._folder, self._key = folder, key
        self._done: dict[tuple[int, int], Any] = {}
        self._new: list[tuple[tuple[int, int], Any]] = []
        self._calls = self._parts = 0
        self._kept_at = time.monotonic()
        for path in sorted(folder.glob("*.part")) if folder.is_dir() else ():
            content = path.read_bytes()
            signature, parcel = content[:_SIGNATURE], content[_SIGNATURE:]
            if hmac.compare_digest(signature, self._sign(parcel)):
                self._done.update(unpack(parcel))
        if self._done:
            note(f"{len(self._done)} batches that an earlier run has finished are taken up")

    def remembering(self, work: Callable[[Batch], Result]) -> Callable[[Batch], Result]:
        """The same work, not done again where it is done; to be asked for once a call."""
        self._calls += 1
        call = self._calls

        def once(batch: Batch) -> Result:
            place = (call, batch[0][0])
            if place in self._done:
                found: Result = self._done[place]
                return found
            made = work(batch)
            self._new.append((place, made))
            if time.monotonic() - self._kept_at > INTERVAL:
                self.keep()
            return made

        return once

    def keep(self) -> None:
        """Write what is finished and not yet kept; a disk that refuses costs the study nothing."""
        parcel = pack(self._new)
        empty = not self._new
        self._new, self._kept_at = [], time.monotonic()
        if empty or len(parcel) > MOST_BYTES:
            return
        self._parts += 1
        with suppress(UserError, OSError):
            self._folder.mkdir(exist_ok=True)
            with replacing(self._folder / f"{os.getpid()}-{self._parts}.part") as fresh:
                fresh.write_bytes(self._sign(parcel) + parcel)

    def _sign(self, parcel: bytes) -> bytes:
        return hmac.digest(self._key, parcel, "sha256")


_current: Progress | None = None


@contextmanager
def kept(out: Path, state: str) -> Iterator[None]:
    """Keep what is done meanwhile, take up what was done before, and clear it when all went well.

    Args:
        out: the study's folder; what is kept lies beside it.
        state: what `state_of` says of the run.
    """
    global _current
    target, started = out.resolve(), time.monotonic()
    folder = target.with_name(f".{target.name}.{state[:16]}.progress")
    if processes.is_main():
        outdated = re.compile(rf"\.{re.escape(target.name)}\.\w+\.progress")
        for other in target.parent.iterdir():
            if outdated.fullmatch(other.name) and other != folder:
                shutil.rmtree(other, ignore_errors=True)
    key = _key()
    _current = Progress(folder, key) if key else None
    try:
        yield
    except BaseException as error:
        if _current and not isinstance(error, UserError) and time.monotonic() > started + INTERVAL:
            _current.keep()
        raise
    finally:
        _current = None
    shutil.rmtree(folder, ignore_errors=True)


def remembering(work: Callable[[Batch], Result]) -> Callable[[Batch], Result]:
    """The same work, remembered where a study is kept."""
    return work if _current is None else _current.remembering(work)


def state_of(
    config: "DataclassInstance",
    command: str,
    checkpoints: Mapping[str, str],
    examples: Iterable[Example] = (),
) -> str:
    """A hash of all that rows are made of: settings, weights, questions, pictures and the code."""
    settings = resolve(config)
    for name in ("out", "processes", "wide"):  # where, by how many, how shown
        settings.pop(name, None)
    package = Path(__file__).parent.parent
    edited = max(path.stat().st_mtime_ns for path in package.rglob("*.py"))
    of = (command, settings, dict(checkpoints), package_versions(), git_revision(package), edited)
    total = hashlib.sha256(json.dumps(of, sort_keys=True, default=str).encode())
    for example in examples:
        asked = (example.id, example.question, example.context, example.choices, example.answer)
        total.update(repr(asked).encode("utf-8", "surrogatepass"))
        if example.image is not None:
            total.update(repr(example.image.size).encode() + example.image.tobytes())
    return total.hexdigest()


def _key() -> bytes:
    """This user's key, made where there is none; empty where none can be kept."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(cache) / "latentlab" / "progress.key"
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(made, "wb") as stream:
                stream.write(secrets.token_bytes(_SIGNATURE))
        found = path.read_bytes()
        return found if len(found) == _SIGNATURE else b""
    return b""

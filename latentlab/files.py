"""Files and folders that appear complete or not at all, and places that one run has to itself.

What is written goes to a hidden name beside its place, is brought to disk, and is then renamed:
whoever looks, or kills the process, finds what was there before or the whole of the new. A place is
held by a lock that ends with its process, however that ends; so who holds it knows that hidden
names beside it are leftovers of the dead.
"""

import ctypes
import errno
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from latentlab.errors import UserError

_NEW, _OLD = "new", "old"
_LEFT = re.compile(r"\.(.+)\.\d+\.(new|old)")
_HERE, _SWAP = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux; macOS calls the latter RENAME_SWAP


@contextmanager
def held(place: Path) -> Iterator[None]:
    """Have a file or folder to oneself, and clear away what dead runs left beside and in it.

    Raises:
        UserError: another run holds it, or nothing can be written there.
    """
    place = place.resolve()
    made = [folder for folder in place.parents if not folder.exists()]
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(place.with_name(f".{place.name}.lock"))
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UserError(
            f"{place} is being written by another run: wait for its end or choose another place"
        ) from error
    except OSError as error:
        raise UserError(f"{place} cannot be created: {error.strerror}") from error
    try:
        _mend(place)
        yield
    finally:
        # While it is held: who opened it meanwhile sees that it is gone, and makes another.
        with suppress(OSError):
            Path(lock.lock_file).unlink()
        lock.release()
        with suppress(OSError):  # whoever wrote nothing leaves no empty folders either
            for folder in made:
                folder.rmdir()


@contextmanager
def told(place: Path) -> Iterator[None]:
    """Tell in one line what the system says against writing: a full disk, a limit, no rights.

    Raises:
        UserError: in place of an `OSError`.
    """
    try:
        yield
    except OSError as error:
        # Libraries put words of their own before those of the system.
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise UserError(f"{place} cannot be written: {reason}") from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file under a hidden name, which takes its place when all went well.

    Args:
        path: the file to be; it stays as it was where anything fails.

    Yields:
        Where to write it.

    Raises:
        UserError: the system says no.
    """
    fresh = _hidden(path, _NEW)
    try:
        with told(path):
            yield fresh
            _to_disk(fresh)
            fresh.replace(path)
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8, which appears complete or not at all.

    Raises:
        UserError: the system says no.
    """
    with replacing(path) as fresh:
        fresh.write_text(text, encoding="utf-8", newline="\n")


def check_folder(folder: Path) -> None:
    """Say at once that files cannot be written into a folder, where it is there.

    Raises:
        UserError: it is a file, or nothing can be written there.
    """
    with told(folder):
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if folder.exists() and not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def write_folder(target: Path, write: Callable[[Path], None], own: Collection[str] = ()) -> None:
    """Write a folder, which takes the place of one that is there in a single step.

    Args:
        target: the folder to be; it stays as it was where anything fails.
        write: writes its files into a folder that it is given.
        own: names that belong to the writer; whatever else is in the folder stays in it.

    Raises:
        UserError: the system says no.
    """
    target = target.resolve()
    fresh = _hidden(target, _NEW)
    try:
        with told(target):
            fresh.mkdir()
            write(fresh)
            for path in fresh.rglob("*"):
                if path.is_file():
                    _to_disk(path)
            if target.exists():
                _carry_over(target, fresh, own)
            _put_in_place(fresh, target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _carry_over(target: Path, fresh: Path, own: Collection[str]) -> None:
    """Let a new folder have whatever is no file of the writer's, without copying contents."""
    for entry in target.iterdir():
        if entry.name in own or (fresh / entry.name).exists() or _LEFT.fullmatch(entry.name):
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.copytree(entry, fresh / entry.name, symlinks=True, copy_function=_link)
        else:
            _link(entry, fresh / entry.name)


def _link(source: str | Path, target: str | Path) -> None:
    """A second name of a file, or a copy where the disk has none."""
    try:
        os.link(source, target, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(source, target, follow_symlinks=False)


def _put_in_place(fresh: Path, target: Path) -> None:
    """Let a folder take the place of another; undone if it fails."""
    if not target.exists():
        fresh.rename(target)
    elif not _swapped(fresh, target):
        # Where a system cannot swap, the next run puts back what a kill in between took away.
        old = _hidden(target, _OLD)
        target.rename(old)
        try:
            fresh.rename(target)
        except BaseException:
            old.rename(target)
            raise
        shutil.rmtree(old)


def _swapped(one: Path, other: Path) -> bool:
    """Let two paths change places in one step; False where the system cannot."""
    try:
        system = ctypes.CDLL(None)
        names = os.fsencode(one), os.fsencode(other)
        if hasattr(system, "renameat2"):
            return bool(system.renameat2(_HERE, names[0], _HERE, names[1], _SWAP) == 0)
        return bool(system.renamex_np(*names, _SWAP) == 0)
    except (OSError, TypeError, AttributeError):
        return False


def _mend(place: Path) -> None:
    """Put back what a run that died between two renames took away; clear leftovers of the dead."""
    if not place.exists():
        for old in _left(place.parent, place.name, _OLD)[-1:]:
            old.rename(place)
    inside = _left(place) if place.is_dir() else []
    for path in (*_left(place.parent, place.name), *inside):
        with suppress(OSError):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _left(folder: Path, name: str = "", role: str = "") -> list[Path]:
    """Hidden names in a folder, of one place and one role or of all, from the oldest on."""
    found = []
    for path in folder.iterdir():
        match = _LEFT.fullmatch(path.name)
        if match and name in ("", match[1]) and role in ("", match[2]):
            found.append(path)
    return sorted(found, key=lambda path: path.lstat().st_mtime)


def _hidden(path: Path, role: str) -> Path:
    """A hidden name beside a path, on the same disk, so that a rename is one step."""
    return path.with_name(f".{path.name}.{os.getpid()}.{role}")


def _to_disk(path: Path) -> None:
    """Wait until a file's content is on the disk: a rename may overtake it, and a quota tell."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())

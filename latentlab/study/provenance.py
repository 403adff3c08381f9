"""Where results come from: enough to rerun them, and to tell two runs apart.

Every results folder carries this record. It holds the settings with their defaults filled in,
the versions of what computed, the revision of the source, and a hash of each checkpoint, since a
checkpoint may change under the same name.
"""

import dataclasses
import hashlib
import json
import os
import platform
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.errors import UserError
from latentlab.processes import group as processes
from latentlab.study.record import RUN as RUN
from latentlab.version import __version__

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_PACKAGES = ("torch", "transformers", "numpy", "pandas")
_HASHED = (".safetensors", ".json")


@dataclass(frozen=True)
class Start:
    """When a run began: by the calendar, and by a clock that nobody can set back."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    """Date and time, with a time zone."""

    ticks: float = field(default_factory=time.monotonic)
    """Seconds of the steady clock."""

    @property
    def seconds(self) -> float:
        """Seconds since then."""
        return time.monotonic() - self.ticks


def provenance(
    config: "DataclassInstance",
    command: str,
    seed: int,
    checkpoints: Mapping[str, str],
    started: Start,
    plans: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """The record of a run, ready for `run.json`.

    Args:
        config: The settings, complete with defaults.
        command: Name of the command, as in `ablate`.
        seed: Seed of everything that was drawn at random.
        checkpoints: `checkpoint_hash` of each model, by the name it has in the rows.
        started: When the run began.
        plans: The latent plan that each model followed, by the same name: it may be another than
            the one of its checkpoint.

    Returns:
        Plain values only. `git` is null where the package does not run from a git checkout;
        `seconds` is wall time until this call.
    """
    return {
        "command": command,
        "config": resolve(config),
        "seed": seed,
        "checkpoints": dict(checkpoints),
        "plans": json.loads(json.dumps(plans or {}, default=dict)),
        "versions": package_versions(),
        "git": git_revision(Path(__file__).parent),
        "platform": {
            "system": platform.platform(),
            "machine": platform.machine(),
            "cpus": os.cpu_count(),
        },
        "processes": processes.count(),
        "started": started.at.isoformat(timespec="seconds"),
        "seconds": round(started.seconds, 3),
    }


def resolve(config: "DataclassInstance") -> dict[str, Any]:
    """`config` as it reads back from JSON: tuples are lists, paths and devices are strings."""
    plain = json.loads(json.dumps(dataclasses.asdict(config), default=str))
    assert isinstance(plain, dict)
    return plain


def checkpoint_hash(folder: Path) -> str:
    """SHA-256 over the weights and the settings in `folder`, in the order of their paths.

    Names count as well as contents; anything but `.safetensors` and `.json` does not, nor does the
    record of the training, which tells the time.

    Raises:
        UserError: The folder holds no such file.
    """
    named = (p for p in folder.rglob("*") if p.suffix in _HASHED and p.name != RUN)
    files = sorted(p for p in named if p.is_file())  # a link may lead nowhere
    if not files:
        raise UserError(f"{folder} is no checkpoint: it holds no .safetensors or .json file")
    total = hashlib.sha256()
    for path in files:
        with path.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return total.hexdigest()


def git_revision(folder: Path) -> dict[str, Any] | None:
    """Commit of the checkout that `folder` belongs to and whether tracked files were edited.

    Returns:
        `{"commit": ..., "dirty": ...}`, or None where git does not track `folder`: an installed
        package may lie inside the checkout of some other project.
    """
    if not _git(folder, "ls-files", "--", "."):
        return None
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return None
    return {
        "commit": commit,
        "dirty": bool(_git(folder, "status", "--porcelain", "--untracked-files=no")),
    }


def _git(folder: Path, *arguments: str) -> str:
    """What git answers, or nothing where it fails or is missing."""
    try:
        answer = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return answer.stdout.strip()


def package_versions() -> dict[str, str | None]:
    """Versions of Python, of LatentLab and of what it computes with; null for what is missing."""
    found: dict[str, str | None] = {"python": platform.python_version(), "latentlab": __version__}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found

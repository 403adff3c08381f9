"""What `run.json` holds: where results come from.

A record may hold more than is named here, since commands add what only they know.
"""

from pathlib import Path
from typing import Any, NotRequired

from typing_extensions import TypedDict

from latentlab.schema import STRICT, read, read_file, read_json

RUN = "run.json"
"""The record's name, beside whatever it is the record of."""


class Revision(TypedDict):
    """A commit of the source."""

    commit: str
    """Its hash."""

    dirty: bool
    """Whether tracked files were edited since."""


class RunRecord(TypedDict):
    """Where results come from: enough to rerun them, and to tell two runs apart."""

    __pydantic_config__ = STRICT | {"extra": "allow"}  # type: ignore[misc]

    command: str
    """Name of the command, as in `ablate`."""

    config: dict[str, Any]
    """Its settings, complete with defaults."""

    seed: int
    """Seed of everything that was drawn at random."""

    checkpoints: dict[str, str]
    """SHA-256 over weights and settings of each model, by the name it has in the rows."""

    plans: NotRequired[dict[str, dict[str, Any]]]
    """The latent plan that each model followed."""

    versions: dict[str, str | None]
    """Versions of what computed."""

    git: Revision | None
    """Revision of the source; null where it does not run from a checkout."""

    platform: dict[str, Any]
    """System, machine and number of CPUs."""

    processes: NotRequired[int]
    """How many processes shared the work."""

    started: str
    """When the run began, with its time zone (ISO 8601)."""

    seconds: float
    """Wall time that it took."""


def read_record(folder: Path) -> dict[str, Any]:
    """The record in a folder of results.

    Raises:
        UserError: it cannot be read, or lacks something.
    """
    path = folder / RUN
    text = read_file(path)
    return dict(read(RunRecord, read_json(text, str(path)), str(path), text))

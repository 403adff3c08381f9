"""Whom the instruments are read on: organisms, further trainings, and models in question.

A training names the model that it made and its seed in the record it leaves beside the weights.
So a folder that `latentlab.organisms` left is known for the organism it is, whatever it is called.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from latentlab.checkpoint import called
from latentlab.errors import UserError
from latentlab.study.provenance import RUN

ORGANISMS = ("relay", "gaze", "redundant", "bypass", "decoy", "filler")
"""Models whose truth is known."""

CANNOT_REASON = ("bypass", "decoy", "filler")
"""Organisms that answer what one pass can answer, and nothing else."""

ONE_HOP = "benchmark:hops=1"
"""What these can answer."""


@dataclass(frozen=True)
class Training:
    """One model that is read."""

    name: str
    """What `--model` or `--retrained` called it."""

    model: str
    """The organism it is, or its own name."""

    training_seed: int | None
    """Seed of its training, where that is on record."""

    def data(self, asked: str) -> str:
        """What the model is asked where its answers count, given what is asked of the others."""
        return ONE_HOP if self.model in CANNOT_REASON else asked


def subject(name: str, folder: Path) -> Training:
    """A model under its own name."""
    record = _record(folder)
    return Training(name, called(name, folder), record[1] if record else None)


def retrained(name: str, folder: Path) -> Training:
    """A further training, under the name of the model it is a training of.

    Raises:
        UserError: the folder does not tell.
    """
    record = _record(folder)
    if record is None:
        raise UserError(
            f"--retrained {name}: {folder / RUN} does not say which model was trained from which "
            "seed; give a folder that latentlab.train or latentlab.organisms finished"
        )
    return Training(name, *record)


def check_distinct(subjects: Sequence[Training]) -> None:
    """Refuse to read one training twice: its readings would be taken for those of two.

    Raises:
        UserError: two models are the same training of the same organism.
    """
    known: dict[tuple[str, int | None], str] = {}
    for one in subjects:
        key = one.model, one.training_seed
        if key in known:
            raise UserError(
                f"{one.name} and {known[key]} are one training of {one.model}, seed "
                f"{one.training_seed}; leave one of them out"
            )
        known[key] = one.name


def _record(folder: Path) -> tuple[str, int] | None:
    """Name and seed of the training that made a model."""
    try:
        record = json.loads((folder / RUN).read_text(encoding="utf-8"))
        return str(record["config"]["name"]), int(record["config"]["seed"])
    except (OSError, ValueError, KeyError, TypeError):
        return None

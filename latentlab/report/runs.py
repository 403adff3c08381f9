"""What was run on what, and what it found: one `Run` for each study whose results are there.

The sentences are the instruments' own; nothing is worded anew here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from latentlab.calibrate import findings as calibration
from latentlab.figures.experiment import Study
from latentlab.study.instrument import instrument
from latentlab.study.results import Results, facts


@dataclass(frozen=True)
class ToldStudy:
    """One study as the page tells it."""

    study: Study
    """Which one."""

    results: Results
    """What it left behind."""

    command_line: str
    """What a user types to make it again."""

    @property
    def facts(self) -> dict[str, str]:
        """What was run on what, by heading."""
        return facts(self.results)

    @property
    def sentences(self) -> list[str]:
        """What was found, one paragraph a model."""
        return sentences(self.results)


def told(found: dict[str, Results], studies: Iterable[Study], folder: Path) -> list[ToldStudy]:
    """The studies whose results were found, in the order of the questions of the page."""
    there = [study for study in studies if study.name in found]
    there.sort(key=lambda study: ORDER.index(study.command))
    return [ToldStudy(study, found[study.name], study.command_line(folder)) for study in there]


def question(command: str) -> str:
    """What a command answers."""
    return TRUST if command == CALIBRATE else instrument(command).question


def sentences(results: Results) -> list[str]:
    """What results say, one paragraph a model."""
    command = results.run["command"]
    if command == CALIBRATE:
        return calibration.conclusion(results.summary)
    return instrument(command).conclusion(results)


CALIBRATE, TRUST = "calibrate", "Can the instruments be trusted?"
"""The command that is no instrument, but judges them, and its question."""

ORDER = (
    CALIBRATE,
    "evaluate",
    "compare",
    "ablate",
    "mediation",
    "interchange",
    "patch",
    "attention",
    "probe",
    "lens",
    "trace",
)
"""Commands in the order of the page."""

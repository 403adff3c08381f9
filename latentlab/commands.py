"""Every command, registered once: `python -m latentlab.NAME` and `python -m latentlab NAME`.

A command is a package `latentlab/NAME/`. Its `config.py` holds the flags and imports nothing heavy,
so that `--help` is answered at once; the module that does the work, which has a function `main`, is
imported when the flags are understood. Instruments (`study.instrument`) are commands of one kind:
their work is in `instrument.py`, and figures, report and calibration find them here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from latentlab.command import run
from latentlab.settled import settle


@dataclass(frozen=True)
class Command:
    """Where the parts of a command are."""

    name: str
    """As in `python -m latentlab.NAME`; also the name of the package."""

    flags: str
    """Class of the flags, in the package's `config.py`."""

    work: str = "instrument"
    """Module of the package that has `main`; `instrument` for instruments."""

    @property
    def config(self) -> type[Any]:
        """The class of the flags."""
        found: type[Any] = getattr(import_module(f"latentlab.{self.name}.config"), self.flags)
        return found

    def main(self, config: Any) -> int | None:
        """Do the work; what it returns, if anything, is the exit code."""
        work: Callable[[Any], int | None]
        work = import_module(f"latentlab.{self.name}.{self.work}").main
        settle()
        return work(config)


_ALL = (
    Command("ablate", "AblateConfig"),
    Command("mediation", "MediationConfig"),
    Command("interchange", "InterchangeConfig"),
    Command("attention", "AttentionConfig"),
    Command("probe", "ProbeConfig"),
    Command("lens", "LensConfig"),
    Command("patch", "PatchConfig"),
    Command("calibrate", "CalibrateConfig", "run"),
    Command("evaluate", "EvaluateConfig"),
    Command("compare", "CompareConfig"),
    Command("score", "ScoreConfig", "run"),
    Command("figures", "FiguresConfig", "run"),
    Command("trace", "TraceConfig"),
    Command("report", "ReportConfig", "run"),
    Command("train", "TrainFlags", "run"),
    Command("organisms", "OrganismsConfig", "run"),
    Command("export", "ExportConfig", "run"),
    Command("check", "CheckConfig", "run"),
    Command("convert", "ConvertConfig", "run"),
)

COMMANDS = {command.name: command for command in _ALL}
"""Every command by its name, in the order in which they are listed."""


def start(name: str, argv: Sequence[str] | None = None) -> int:
    """Run a command on a command line; see `command.run` for what is returned."""
    command = COMMANDS[name]
    return run(command.config, command.main, name, argv)

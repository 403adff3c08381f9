"""The frame that all commands share: their common flags, how they start and how they fail.

The flags of a command are a frozen dataclass that extends `CommonConfig`, in the `config.py` of its
package. The dataclass *is* the command line: the string under a field is the help of its flag.
`commands` registers all of them.

Nothing heavy is imported here, and a command imports its own heavy modules when its flags are
understood, so that `--help` and a misspelt flag are answered at once.
"""

import errno
import inspect
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from latentlab import console
from latentlab.arguments import LARGEST, refuse_repeated, refuse_unreasonable
from latentlab.errors import UserError, is_out_of_memory
from latentlab.processes import group as processes
from latentlab.usage import one_line

if TYPE_CHECKING:
    pass

EXIT_OK = 0
EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells report it

RESULTS = Path("results")

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
"""What the system says of a disk that is full, a quota, a limit, or a disk that is read only."""

_PATH = (errno.ENAMETOOLONG, errno.ELOOP)
"""What it says of paths that can be none."""

Precision = Literal["float32", "bfloat16", "float16"]
"""What weights are held and multiplied in; attention rows, and the picks they make, are float32."""


@dataclass(frozen=True, kw_only=True)
class CommonConfig:
    """What every command can be told."""

    model: tuple[str, ...] = ("ivtlr",)
    """Models, each the name of an embedded organism, the folder of a checkpoint or a hub name."""

    data: str = "benchmark"
    """Where the examples come from: the name of a data set, a file or a folder (docs/data.md)."""

    split: str = "test"
    """Which part of the data: train, validation or test."""

    columns: tuple[str, ...] = ()
    """Which column of your own table holds what: question=q image=img choices=a+b+c answer=gold."""

    strict: bool = False
    """Stop at the first example that cannot be used, instead of leaving it out and counting it."""

    limit: int = 500
    """Number of examples at most."""

    batch_size: int = 64
    """Number of examples that one forward pass takes."""

    seed: int = 0
    """Seed of everything that is drawn at random."""

    device: str = "auto"
    """Where to compute: auto (a GPU if there is one), cpu, cuda, cuda:1, mps."""

    dtype: Precision = "float32"
    """Precision to compute in: float32, bfloat16, float16."""

    plan: str = ""
    """Latent plan to follow in place of a model's own, or where it brings none: a JSON file, or
    fields as in steps=3,k=32; those not named have the defaults of a plan. A model without a plan
    takes no latent steps."""
    processes: int = 1
    """Processes on this machine that share the batches; each holds all models, on a GPU of its own
    where there are as many. Leave it out where accelerate launch or torchrun starts them."""

    out: Path | None = None
    """Folder of the results; by default results/ and the name of the command."""

    wide: bool = False
    """Show every column of every table, on a narrow screen in several parts."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant; a subclass that adds checks calls this one first.

        Raises:
            UserError: No model or one named twice, or a number out of its range.
        """
        if not self.model:
            raise UserError("--model names no model: give at least one")
        if len(set(self.model)) < len(self.model):
            raise UserError(f"--model names one model twice: {' '.join(self.model)}")
        for flag, value, least in (
            ("--limit", self.limit, 1),
            ("--batch-size", self.batch_size, 1),
            ("--seed", self.seed, 0),
            ("--processes", self.processes, 1),
        ):
            if value < least:
                raise UserError(f"{flag} {value} is too small: it is at least {least}")
            if value > LARGEST:
                raise UserError(f"{flag} is too large: it is at most {LARGEST}")
        processes.check_count(self.processes)

    @property
    def spare_plan(self) -> str:
        """Plan of models that bring none, written as in `--plan`; empty where no flag names one."""
        return ""

    def folder(self, command: str) -> Path:
        """The folder that `command` writes its results to."""
        return RESULTS / command if self.out is None else self.out


@dataclass(frozen=True, kw_only=True)
class PlannedConfig(CommonConfig):
    """Common flags of commands on which `--steps` and `--k` are free to mean a plan."""

    steps: int | None = None
    """Latent steps of models that bring no plan: untrained latent reasoners, to set trained ones
    against."""

    k: int | None = None
    """Patches that such a model re-inserts at each step."""

    def __post_init__(self) -> None:
        """Refuse numbers below 0, and two plans for one model.

        Raises:
            UserError: as above.
        """
        super().__post_init__()
        for flag, value in (("--steps", self.steps), ("--k", self.k)):
            if value is not None and value < 0:
                raise UserError(f"{flag} {value} is too small: it is at least 0")
            if value is not None and self.plan:
                raise UserError(f"{flag} and --plan both name a plan: give one of them")

    @property
    def spare_plan(self) -> str:
        """Plan of models that bring none, written as in `--plan`."""
        named = (("steps", self.steps), ("k", self.k))
        return ",".join(f"{name}={value}" for name, value in named if value is not None)


Config = TypeVar("Config")


def run(
    config_class: type[Config],
    main: Callable[[Config], int | None],
    prog: str,
    argv: Sequence[str] | None = None,
) -> int:
    """Parse the command line, run the command, and turn the outcome into an exit code.

    Args:
        config_class: The flags. Its module's docstring is the description that `--help` shows.
        main: The command itself; what it returns, if anything, is the exit code.
        prog: Name of the command, as in `ablate`.
        argv: The arguments after the name of the program; by default those of this process.

    Returns:
        0, or what `main` returned; 2 after a `UserError` or a flag that makes no sense, told in one
        line on standard error without a traceback; 130 when the user interrupted.

    Raises:
        SystemExit: From the parser: 0 after `--help`.
    """
    import tyro  # here, so that modules that only need `CommonConfig` do not pay for the parser

    console.forget()
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        refuse_repeated(arguments)
        with one_line(config_class, arguments):
            config = tyro.cli(
                config_class,
                prog=f"python -m latentlab.{prog}",
                description=inspect.getdoc(sys.modules[config_class.__module__]),
                args=arguments,
                config=(tyro.conf.DisallowNone, tyro.conf.FlagCreatePairsOff),
            )
        refuse_unreasonable(config)
        return _together(partial(_shown, main), config) or EXIT_OK
    except UserError as error:
        console.fail(str(error))
        return EXIT_USER_ERROR
    except OSError as error:
        if error.errno not in (*_DISK, *_PATH):
            raise
        what = "written" if error.errno in _DISK else "used"
        where = str(error.filename or "a file")[:200]
        console.fail(f"{where} cannot be {what}: {os.strerror(error.errno)}")
        return EXIT_USER_ERROR
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        smaller = (
            "; a smaller --batch-size takes less" if hasattr(config_class, "batch_size") else ""
        )
        console.fail(f"there is not enough memory for this{smaller}")
        return EXIT_USER_ERROR
    except KeyboardInterrupt:
        if argv is None:  # the process ends now; another Ctrl-C would only end in a traceback
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        console.fail("interrupted")
        return EXIT_INTERRUPTED


def _shown(main: Callable[[Config], int | None], config: Config) -> int | None:
    """Run a command whose tables are as wide as asked for; in the process that shows them."""
    console.widen(isinstance(config, CommonConfig) and config.wide)
    return main(config)


def _together(main: Callable[[Config], int | None], config: Config) -> int | None:
    """Run a command in as many processes as are asked for, or as a launcher has started."""
    if not isinstance(config, CommonConfig):
        return main(config)
    if (launched := processes.launched()) > 1:
        if config.processes > 1:
            raise UserError(
                f"--processes {config.processes}: a launcher has started {launched} processes; "
                "leave it out"
            )
        with processes.joined():
            return main(config)
    if config.processes > 1:
        from latentlab.processes.spawn import spawn  # imports torch

        spawn(config.processes, partial(main, config))
        return EXIT_OK
    return main(config)

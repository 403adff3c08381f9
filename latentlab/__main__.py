"""Lists the commands of LatentLab, and starts one: `python -m latentlab ablate --help`."""

import ast
import runpy
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from latentlab import __version__, console
from latentlab.command import EXIT_OK, EXIT_USER_ERROR
from latentlab.errors import did_you_mean

COMMANDS = (
    "ablate",
    "mediation",
    "interchange",
    "attention",
    "probe",
    "lens",
    "patch",
    "calibrate",
    "evaluate",
    "figures",
    "trace",
    "report",
    "train",
    "organisms",
    "export",
)


def summaries() -> dict[str, str]:
    """The commands that are installed, with the first line of the docstring of each.

    The docstring is read from the source: importing five commands to list them would take longer
    than running one.
    """
    found = {}
    for name in COMMANDS:
        spec = find_spec(f"latentlab.{name}")
        if spec is not None and spec.origin is not None:
            doc = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8")))
            found[name] = (doc or "").partition("\n")[0]
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """List the commands, or run the one that `argv` starts with and never return from it.

    Args:
        argv: The arguments after the name of the program; by default those of this process.

    Returns:
        0 after the list, 2 when there is no such command.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    known = summaries()
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        _list(known)
        return EXIT_OK
    name, *rest = arguments
    if name == "--version":
        console.show(f"latentlab {__version__}")
        return EXIT_OK
    if name not in known:
        console.fail(f"there is no command '{name}': {did_you_mean(name, known)}")
        return EXIT_USER_ERROR
    sys.argv = [f"latentlab.{name}", *rest]
    runpy.run_module(f"latentlab.{name}", run_name="__main__", alter_sys=True)
    return EXIT_OK


def _list(known: dict[str, str]) -> None:
    """Put one line per command on standard output."""
    console.show(f"LatentLab {__version__}: do the latents do the reasoning?\n")
    width = max(map(len, known), default=0)
    for name, summary in known.items():
        console.show(f"  {name:<{width}}  {summary}")
    console.show("\nMore on one of them: python -m latentlab COMMAND --help")


if __name__ == "__main__":
    sys.exit(main())

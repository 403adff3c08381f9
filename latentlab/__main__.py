"""Lists the commands of LatentLab, and starts one: `python -m latentlab ablate --help`."""

import ast
import sys
from collections.abc import Sequence
from pathlib import Path

from latentlab import console
from latentlab.command import EXIT_OK, EXIT_USER_ERROR
from latentlab.commands import COMMANDS, start
from latentlab.errors import did_you_mean
from latentlab.version import __version__


def summaries() -> dict[str, str]:
    """The commands, with the first line of what the help of each says.

    The docstring is read from the source: importing five commands to list them would take longer
    than running one.
    """
    found = {}
    for name in COMMANDS:
        source = Path(__file__).parent / name / "config.py"
        doc = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8")))
        found[name] = (doc or "").partition("\n")[0]
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """List the commands, or run the one that `argv` starts with.

    Args:
        argv: The arguments after the name of the program; by default those of this process.

    Returns:
        0 after the list, 2 when there is no such command, else what the command returns.
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
    return start(name, rest)


def _list(known: dict[str, str]) -> None:
    """Put one line per command on standard output."""
    console.show(f"LatentLab {__version__}: do the latents do the reasoning?\n")
    width = max(map(len, known), default=0)
    for name, summary in known.items():
        console.show(f"  {name:<{width}}  {summary}")
    console.show("\nMore on one of them: python -m latentlab COMMAND --help")


if __name__ == "__main__":
    sys.exit(main())

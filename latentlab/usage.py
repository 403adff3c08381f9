"""What is wrong with a command line, in one line: the flag, what was found, near names, `--help`.

The parser draws a box of up to twenty lines, and tells whoever asks what it was about to draw. That
hook is of no public interface (`tyro._errors`): a version without it draws its box.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from difflib import get_close_matches
from typing import Any

from latentlab.errors import UserError


def one_line(config: type, arguments: Sequence[str] = ()) -> AbstractContextManager[None]:
    """Raise a `UserError` for whatever the parser rejects meanwhile.

    Args:
        config: the dataclass that is parsed, whose fields are the flags.
        arguments: what is parsed. A misspelt flag before a value that has no flag is told by it.
    """
    try:
        from tyro import _errors  # the version that is installed may have none
    except ImportError:  # pragma: no cover - depends on the version
        return nullcontext()
    return _hooked(_errors, config, arguments)


@contextmanager
def _hooked(errors: Any, config: type, arguments: Sequence[str]) -> Iterator[None]:
    def reject(event: Any) -> None:
        told = _told(event, config, arguments)
        raise UserError(f"{told}{' See' if told.endswith('?') else '; see'} {event.prog} --help")

    with errors.on_parse_error(reject):
        yield


def _told(event: Any, config: type, arguments: Sequence[str]) -> str:
    """What is wrong, without the way to the help."""
    kind = type(event).__name__
    if kind == "UnrecognizedArgs":
        return _unknown(event.tokens, config)
    if kind == "MissingArgs":
        if event.unrecognized_tokens:
            return _unknown(event.unrecognized_tokens, config)
        names = ", ".join(_flag(found.arg) for found in event.missing_arguments)
        return f"{names} must be given"
    if kind == "InvalidChoice":
        flag = _flag(event.argument)
        return f"{flag} {event.value}: {_near(event.value, event.choices)}"
    if kind == "BadValue":
        flag = _flag(event.argument)
        if event.reason == "too_few_values":
            # A value without a flag is missing where a misspelt flag stands in its place.
            astray = _misspelt(arguments, config) if event.argument.is_positional() else []
            return _unknown(astray, config) if astray else f"{flag} needs a value"
        return f"{flag} takes no value, not even {event.offending_value}"
    if kind == "InstantiationFailure":
        flag = "" if event.argument is None else f"{_flag(event.argument)}: "
        return f"{flag}{_value(event.message)}"
    # A kind that a later version adds has a name that says what it is.
    return f"the flags cannot be made sense of ({kind})"


def _unknown(tokens: list[str], config: type) -> str:
    """The first thing that is no flag, and a flag that is spelt nearly so."""
    token = tokens[0]
    name = token.partition("=")[0]
    flags = _flags(config)
    near = get_close_matches(name, flags, n=1)
    if not token.startswith("-"):
        return f"{token} belongs to no flag"
    return f"{name} is no flag{f': did you mean {near[0]}?' if near else ''}"


def _flags(config: type) -> list[str]:
    """All flags of a command."""
    return [f"--{field.name.replace('_', '-')}" for field in dataclasses.fields(config)]


def _misspelt(arguments: Sequence[str], config: type) -> list[str]:
    """What looks like a flag and is none."""
    names = [one for one in arguments if one.startswith("--") and one != "--"]
    return [n for n in names if n.partition("=")[0].replace("_", "-") not in _flags(config)]


def _flag(argument: Any) -> str:
    """An argument as the user writes it."""
    if argument.is_positional():
        return str(argument.lowered.metavar)
    return str(argument.lowered.name_or_flags[-1])


def _near(value: str, choices: tuple[str, ...]) -> str:
    """What was meant, or all that is known, in the order of the help."""
    near = get_close_matches(value, choices, n=1)
    return f"did you mean {near[0]}?" if near else f"it is one of {', '.join(choices)}"


def _value(message: str) -> str:
    """Why a value is refused, for someone who does not program."""
    found = message.rpartition(": ")[2]
    if "invalid literal for int" in message:
        return f"{found} is no whole number"
    if "could not convert string to float" in message:
        return f"{found} is no number"
    return message

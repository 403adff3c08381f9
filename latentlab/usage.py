"""What is wrong with a command line, in one line: the flag, what was found, near names, `--help`.

The parser draws a box of up to twenty lines, and tells whoever asks what it was about to draw. That
hook is of no public interface (`tyro._errors`): a version without it draws its box.
"""

import dataclasses
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from difflib import get_close_matches
from typing import Any

from latentlab.errors import UserError


def one_line(config: type) -> AbstractContextManager[None]:
    """Raise a `UserError` for whatever the parser rejects meanwhile.

    Args:
        config: the dataclass that is parsed, whose fields are the flags.
    """
    try:
        from tyro import _errors  # the version that is installed may have none
    except ImportError:  # pragma: no cover - depends on the version
        return nullcontext()
    return _hooked(_errors, config)


@contextmanager
def _hooked(errors: Any, config: type) -> Iterator[None]:
    def reject(event: Any) -> None:
        told = _told(event, config)
        raise UserError(f"{told}{' See' if told.endswith('?') else '; see'} {event.prog} --help")

    with errors.on_parse_error(reject):
        yield


def _told(event: Any, config: type) -> str:
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
            return f"{flag} needs a value"
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
    flags = [f"--{field.name.replace('_', '-')}" for field in dataclasses.fields(config)]
    near = get_close_matches(name, flags, n=1)
    if not token.startswith("-"):
        return f"{token} belongs to no flag"
    return f"{name} is no flag{f': did you mean {near[0]}?' if near else ''}"


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

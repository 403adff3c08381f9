"""Plain values into dataclasses, by their annotations.

Values go through pydantic as JSON, whose lists are tuples and whose numbers are numbers even in
strict mode.
"""

import dataclasses
import json
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from latentlab.errors import UserError
from latentlab.schema.mistakes import told
from latentlab.schema.text import line_of

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")

_once: Callable[[Callable[[Any], Any]], Callable[[Any], Any]] = cache


def read(cls: type[T], values: object, where: str, text: str | None = None) -> T:
    """Fill a dataclass, or a typed dictionary, with the values of a file.

    Args:
        cls: What to fill; its annotations say what its values may be.
        values: Values by name, as JSON or YAML give them.
        where: What to call them in an error: a file, or nothing where the caller names it.
        text: What the file holds, so that an error names the line.

    Raises:
        UserError: A value is unknown, missing or of another kind, or refused by the dataclass.
    """
    from pydantic import ValidationError

    try:
        plain = json.dumps(values)
    except (TypeError, ValueError, RecursionError) as error:
        raise UserError(f"{where}{where and ': '}it cannot be used: {error}") from None
    try:
        filled: T = _adapter(cls).validate_json(plain)
        return filled
    except ValidationError as error:
        path, problem = told(cls, error)
        line = None if text is None else line_of(text, path)
        where += f", line {line}" if line else ""
        raise UserError(f"{where}{where and ': '}{problem}") from None
    except UserError as error:  # of the dataclass itself
        raise UserError(f"{where}{where and ': '}{error}") from None


def check(filled: Any, where: str) -> None:
    """Hold the fields of a dataclass against their annotations, where Python code filled it.

    Args:
        filled: The dataclass.
        where: What to call it in an error.

    Raises:
        UserError: A value is of another kind.
    """
    from pydantic import ValidationError

    values = {field.name: getattr(filled, field.name) for field in dataclasses.fields(filled)}
    try:
        _fields(type(filled)).validate_python(values)
    except ValidationError as error:
        raise UserError(f"{where}: {told(type(filled), error)[1]}") from None


@_once
def _adapter(cls: Any) -> "TypeAdapter[Any]":
    from pydantic import TypeAdapter

    return TypeAdapter(cls)


@_once
def _fields(cls: Any) -> "TypeAdapter[Any]":
    """The fields of a dataclass alone, which are checked without making another of it."""
    from pydantic import TypeAdapter
    from typing_extensions import TypedDict  # which pydantic asks for below Python 3.12

    hints = get_type_hints(cls, include_extras=True)
    own = {field.name: hints[field.name] for field in dataclasses.fields(cls)}
    made: Any = TypedDict
    fields = made(cls.__name__, own)
    fields.__pydantic_config__ = getattr(cls, "__pydantic_config__", {"strict": True})
    return TypeAdapter(fields)

"""Settings out of the plain values of a file, every mistake told in one line.

A YAML file knows nothing of the dataclass it fills, and has traps of its own (`5e-4` without a
point is a text to it), so each value is held against its annotation, before anything runs.
"""

import dataclasses
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

from latentlab.errors import UserError, did_you_mean

T = TypeVar("T")

_WORDS: dict[type, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a text",
    NoneType: "null",
}


def build(cls: type[T], values: object, where: str) -> T:
    """Build a dataclass from a mapping.

    Args:
        cls: the dataclass; its annotations say what its values may be.
        values: settings by name, as YAML or JSON give them.
        where: what to call the mapping in an error.

    Raises:
        UserError: a setting is unknown, missing, of the wrong type, or refused by the dataclass.
    """
    if not isinstance(values, dict):
        raise UserError(f"{where} must hold settings by name, e.g. 'name: ivtlr'")
    description: Any = cls
    known = {field.name: field for field in dataclasses.fields(description)}
    for name in values:
        if name not in known:
            raise UserError(f"{where}: unknown setting {name!r}; {did_you_mean(str(name), known)}")
    for name, field in known.items():
        default = (field.default, field.default_factory)
        if name not in values and default == (dataclasses.MISSING, dataclasses.MISSING):
            raise UserError(f"{where}: the setting {name!r} is missing")
    hints = get_type_hints(cls)
    return cls(
        **{name: _fit(value, hints[name], f"{where}: {name}") for name, value in values.items()}
    )


def _fit(value: object, hint: Any, where: str) -> Any:
    """Turn a plain value into what an annotation asks for."""
    if get_origin(hint) is UnionType:
        return _fit(value, _option(value, get_args(hint)), where)
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise UserError(f"{where} is {value!r}; {did_you_mean(str(value), get_args(hint))}")
        return value
    if get_origin(hint) is tuple:
        if not isinstance(value, list | tuple):
            raise UserError(f"{where} is {value!r}; give a list")
        (item,) = {x for x in get_args(hint) if x is not Ellipsis}
        return tuple(_fit(x, item, f"{where} {i}") for i, x in enumerate(value, 1))
    if hasattr(hint, "from_dict"):
        return hint.from_dict(value)
    if dataclasses.is_dataclass(hint):
        return build(cast(type[object], hint), value, where)
    return _scalar(value, hint, where)


def _option(value: object, options: tuple[Any, ...]) -> Any:
    """The member of a union that a value is meant for."""
    if value is None and NoneType in options:
        return NoneType
    some = [option for option in options if option is not NoneType]
    structured = [option for option in some if dataclasses.is_dataclass(option)]
    plain = [option for option in some if option not in structured]
    return (structured or plain)[0] if isinstance(value, dict) else (plain or structured)[0]


def _scalar(value: object, kind: type, where: str) -> Any:
    """Check a single value; whole numbers are numbers, truth values are not."""
    if kind is float and isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return float(value)
        except ValueError:
            pass
    elif isinstance(value, kind) and isinstance(value, bool) == (kind is bool):
        return value
    raise UserError(f"{where} is {value!r}; give {_WORDS[kind]}")

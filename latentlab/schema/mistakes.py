"""What pydantic finds wrong, told as everything else here is told: one mistake, one line."""

import dataclasses
import re
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

from latentlab.errors import did_you_mean

if TYPE_CHECKING:
    from pydantic import ValidationError

Path = tuple[str | int, ...]
"""Names of fields and places in lists that lead to a value."""

LONGEST_SHOWN = 60
"""Characters of a wrong value that are shown."""

_WANTED = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "bool": "true or false",
    "string": "a text",
    "none": "null",
    "tuple": "a list",
    "list": "a list",
    "dataclass": "values by name",
    "dict": "values by name",
}
_BOUNDS = {"ge": "from {:g}", "gt": "above {:g}", "le": "up to {:g}", "lt": "below {:g}"}


def told(cls: Any, error: "ValidationError") -> tuple[Path, str]:
    """The mistake to begin with, and where it is.

    Unknown names come first, since a misspelt name is also a missing one.

    Args:
        cls: The dataclass or typed dictionary that was to be filled.
        error: What pydantic found.

    Returns:
        The path of the value, and the line that tells it without its file.
    """
    found: dict[Path, list[Any]] = {}
    for one in error.errors(include_url=False):
        path = _path(cls, one["loc"])
        if one["type"] == "missing" and path and isinstance(path[-1], int):
            path = path[:-1]  # a list that is too short
        found.setdefault(path, []).append(one)
    first = min(found, key=lambda path: _rank(found[path][0]["type"]))
    while below := [path for path in found if path != first and path[: len(first)] == first]:
        first = below[0]
    return first, _line(cls, first, found[first])


def _rank(kind: str) -> int:
    return {"unexpected_keyword_argument": 0, "extra_forbidden": 0, "missing": 1}.get(kind, 2)


def _line(cls: Any, path: Path, several: list[Any]) -> str:
    one = several[0]
    inside, name = _words(path[:-1]), path[-1] if path else ""
    before = f"{inside}: " if inside else ""
    if _rank(one["type"]) == 0:
        known = [known for each in _members(_at(cls, path[:-1])) for known in _hints(each)]
        return f"{before}unknown field {name!r}; {did_you_mean(str(name), known)}"
    if one["type"] == "missing" and isinstance(name, str):
        return f"{before}the field {name!r} is missing"
    shown = _shown(one["input"])
    subject = f"{_words(path)} is {shown}" if path else f"it holds {shown}"
    if one["type"] == "literal_error":
        known = re.findall(r"'([^']*)'", one["ctx"]["expected"])
        return f"{subject}; {did_you_mean(str(one['input']), known)}"
    if one["type"] == "missing" or one["type"] == "too_long":
        length = len(get_args(_members(_at(cls, path))[0]))
        return f"{subject}; give a list of {length}" if length else f"{subject}; give fewer values"
    whole = int in _members(_at(cls, path))
    return f"{subject}; give {' or '.join(dict.fromkeys(_wanted(each, whole) for each in several))}"


def _wanted(one: Any, whole: bool) -> str:
    """What would have been accepted; `whole` numbers, or any."""
    kind = one["type"].partition("_")[0]
    if one["type"] in ("int_parsing_size", "json_invalid"):
        return "what can be read"
    if kind in _WANTED:
        return _WANTED[kind]
    context = one.get("ctx", {})
    bounds = [form.format(context[name]) for name, form in _BOUNDS.items() if name in context]
    number = "a whole number" if whole else "a number"
    return f"{number} {bounds[0]}" if bounds else str(one["msg"])


def _shown(value: object) -> str:
    plain = {True: "true", False: "false", None: "null"}
    text = plain[value] if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def _words(path: Path) -> str:
    """A path as a sentence says it: the second of `stages` is `stages 2`."""
    parts = [f" {part + 1}" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(parts).lstrip(".")


def _path(cls: Any, loc: Path) -> Path:
    """Where an error is, without the members of unions that pydantic names on the way."""
    path: list[str | int] = []
    here: Any = cls
    for part in loc:
        if len(members := _members(here)) > 1 and not _has(members, part):
            named = {getattr(_bare(member), "__name__", str(member)): member for member in members}
            here = named.get(str(part).partition("[")[0], here)
            continue
        path.append(part)
        here = _step(members, part)
    return tuple(path)


def _at(cls: Any, path: Path) -> Any:
    """The annotation of the value at a path."""
    here: Any = cls
    for part in path:
        here = _step(_members(here), part)
    return _bare(here)


def _step(members: list[Any], part: str | int) -> Any:
    for member in members:
        hints = _hints(member)
        if part in hints:
            return hints[part]
        if isinstance(part, int) and get_origin(member) in (tuple, list):
            kinds = [kind for kind in get_args(member) if kind is not Ellipsis]
            return kinds[min(part, len(kinds) - 1)]
        if get_origin(member) is dict:
            return get_args(member)[1]
    return Any


def _has(members: list[Any], part: str | int) -> bool:
    """Whether a part of a path leads into one of them."""
    if isinstance(part, int):
        return any(get_origin(member) in (tuple, list) for member in members)
    return any(part in _hints(member) for member in members)


def _members(hint: Any) -> list[Any]:
    """The kinds that an annotation allows, without null."""
    hint = _bare(hint)
    if get_origin(hint) in (Union, UnionType):
        return [_bare(one) for one in get_args(hint) if one is not NoneType]
    return [hint]


def _bare(hint: Any) -> Any:
    """An annotation without its bounds."""
    return get_args(hint)[0] if hasattr(hint, "__metadata__") else hint


def _hints(hint: Any) -> dict[str, Any]:
    """Fields of a dataclass or typed dictionary by name; none of anything else."""
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        names = {field.name for field in dataclasses.fields(hint)}
        every = get_type_hints(hint, include_extras=True)
        return {name: kind for name, kind in every.items() if name in names}
    if isinstance(hint, type) and hasattr(hint, "__total__"):
        return get_type_hints(hint, include_extras=True)
    return {}

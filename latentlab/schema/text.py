"""JSON and YAML as plain values, without what their parsers let pass or trip over.

Of two values under one name both parsers silently keep the last; numbers of thousands of digits,
brackets nested by the thousand, aliases that unfold without end and lone halves of characters end
in errors far from the file, or in no end at all. All of them are refused here, in one line.
"""

import json
import re
import stat
from pathlib import Path
from typing import Any

import yaml

from latentlab.errors import UserError

LARGEST = 2**26
"""Bytes of the largest file of settings that is read."""

MOST_VALUES = 100_000
"""Values that a YAML file may unfold to: aliases make billions of a few lines."""

_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+$")


def read_file(path: Path) -> str:
    """The text of a file of settings.

    Raises:
        UserError: It cannot be read, is no regular file (a pipe would be waited for without end),
            is too large, or is no UTF-8.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            kind = "a folder" if stat.S_ISDIR(found.st_mode) else "no regular file"
            raise UserError(f"{path} cannot be read: it is {kind}")
        if found.st_size > LARGEST:
            raise UserError(f"{path} cannot be read: {found.st_size / 2**20:.0f} MB of settings")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:  # no UTF-8, or a name with a null character
        raise UserError(f"{path} cannot be read: {error}") from None


def read_json(text: str, where: str, nan: bool = False) -> Any:
    """The values of a JSON text.

    Args:
        text: The text.
        where: What messages call it: a file, or a line of one.
        nan: Whether NaN and Infinity, which are no JSON, are let pass.

    Raises:
        UserError: It is not JSON, or holds what nothing can use.
    """
    refuse = None if nan else _no_constant
    try:
        values = json.loads(text, object_pairs_hook=_once, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where} is not valid JSON: {_reason(error)}") from None
    if "\\u" in text and _broken(values):
        raise UserError(f"{where} is not valid JSON: it holds half a character (a lone surrogate)")
    return values


def read_yaml(text: str, where: str) -> Any:
    """The values of a YAML text.

    Raises:
        UserError: It is not YAML, or holds what nothing can use.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
        if node is not None and _unfolded(node, {}, ()) > MOST_VALUES:
            raise ValueError(f"its aliases unfold to more than {MOST_VALUES:,} values")
        values = yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError, TypeError) as error:
        raise UserError(f"{where} cannot be read as YAML: {_reason(error)}") from None
    if _broken(values):
        raise UserError(f"{where} cannot be read as YAML: it holds half a character")
    return values


def line_of(text: str, path: tuple[str | int, ...]) -> int | None:
    """The line, counted from 1, on which a value stands in a JSON or YAML text.

    Args:
        text: The text; almost all JSON is YAML.
        path: Names and places that lead to the value; what is not there ends the search.

    Returns:
        None where the text cannot be gone through.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    if node is None:
        return None
    line: int = node.start_mark.line + 1
    for part in path:
        if isinstance(node, yaml.MappingNode):
            named = {key.value: (key, value) for key, value in node.value}
            if part not in named:
                break
            key, node = named[part]
            line = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            if part >= len(node.value):
                break
            node = node.value[part]
            line = node.start_mark.line + 1
    return line


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Plain values only, no name twice, and 5e-4 is a number as it is in YAML 1.2."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """Refuse a name that is given twice."""
        seen = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:merge" and key.value in seen:
                raise ValueError(f"{key.value!r} is given twice (line {key.start_mark.line + 1})")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = dict(yaml.SafeLoader.yaml_implicit_resolvers)
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))


def _unfolded(node: Any, known: dict[int, int], above: tuple[int, ...]) -> int:
    """How many values a node is when each alias is written out."""
    if id(node) in above:
        raise ValueError("an alias holds itself")
    if id(node) not in known:
        parts = node.value if isinstance(node, yaml.CollectionNode) else ()
        if isinstance(node, yaml.MappingNode):
            parts = [part for pair in parts for part in pair]
        inside = (*above, id(node))
        known[id(node)] = 1 + sum(_unfolded(part, known, inside) for part in parts)
    return known[id(node)]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} is given twice")
    return values


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number that could be meant")


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if "integer string conversion" in str(error):
        return "it holds a number of thousands of digits"
    return str(error)


def _broken(values: Any) -> bool:
    """Whether texts hold half a character, which no file and no screen takes."""
    try:
        json.dumps(values, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        return False
    return False

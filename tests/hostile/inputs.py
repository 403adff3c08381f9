"""Inputs that nobody meant: good ones with something altered, and flags with odd values.

A strategy starts from what is right, since what is wrong all over is refused at the first look.
"""

import copy
import dataclasses
import json
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml
from hypothesis import strategies as st

from latentlab.commands import COMMANDS

TEXTS = (
    "",
    " ",
    "\n",
    "a\0b",
    "\x1b[31mred\x1b[0m",
    "\x9b31m",
    "\u202egnp.exe",
    "\u2066a\u2069",
    "\ud800",
    "\ufeff",
    "<script>alert(1)</script>",
    "![x](http://localhost/x.png)",
    "a|b",
    "\\input{/etc/passwd}",
    "$x_{$",
    "=cmd|' /C calc'!A0",
    "%s%n{0}{{1}}",
    "../../etc/passwd",
    "/dev/zero",
    "~",
    "-",
    "--",
    "all",
    "none",
    "null",
    "true",
    "nan",
    "inf",
    "-0",
    "0x10",
    "1_0",
    "٣",
    "1e400",
    "x" * 300,
    "9" * 5000,
    "é" * 200,
    "🦊",
    "a b",
    "a,b=c",
)
"""Texts that break what reads them carelessly."""

NUMBERS = (0, 1, -1, 2, 3, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63), 10**30)

SCALARS = (
    st.sampled_from(TEXTS)
    | st.sampled_from(NUMBERS)
    | st.sampled_from((None, True, False, 0.5, -0.0, 1e308, float("nan"), float("inf"), 1.0))
    | st.text(max_size=8)
    | st.integers(-5, 5)
)

VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=4), SCALARS)
"""What JSON and YAML can hold."""


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where the values within a value stand."""
    found = [path]
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for name, one in inner:
            found += paths(one, (*path, name))
    return found


@st.composite
def altered(draw: st.DrawFn, good: Any, deep: int = 4) -> Any:
    """A good value with one to three of its values replaced, removed, doubled or renamed."""
    value = copy.deepcopy(good)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([p for p in paths(value) if 0 < len(p) <= deep] or [()]))
        if not path:
            return draw(VALUES)
        inner = value
        for name in path[:-1]:
            inner = inner[name]
        what = draw(st.sampled_from(("replace", "replace", "replace", "remove", "rename", "wrap")))
        if what == "replace":
            inner[path[-1]] = draw(VALUES)
        elif what == "remove":
            del inner[path[-1]]
        elif what == "wrap":
            inner[path[-1]] = [inner[path[-1]]]
        elif isinstance(inner, dict):
            inner[draw(st.sampled_from(TEXTS) | st.text(max_size=5))] = inner.pop(path[-1])
    return value


@st.composite
def damaged(draw: st.DrawFn, good: bytes) -> bytes:
    """The bytes of a file cut, changed, doubled or with others put between."""
    at = draw(st.integers(0, max(len(good) - 1, 0)))
    other = draw(
        st.binary(max_size=6) | st.sampled_from([t.encode("utf-8", "replace") for t in TEXTS])
    )
    ways = (
        good[:at],
        good[:at] + other + good[at:],
        good[:at] + other + good[at + len(other) :],
        good + good,
        good[at:],
        other,
    )
    return draw(st.sampled_from(ways))


def as_json(value: Any) -> bytes:
    """JSON that holds halves of characters, NaN and the like as Python writes them."""
    return json.dumps(value).encode()


def json_file(good: Any, deep: int = 4) -> st.SearchStrategy[bytes]:
    """A JSON file, four times of five with wrong values and else with wrong bytes."""
    wrong = altered(good, deep).map(as_json)
    return st.one_of(wrong, wrong, wrong, wrong, damaged(json.dumps(good, indent=1).encode()))


def yaml_file(good: Any) -> st.SearchStrategy[bytes]:
    """A YAML file."""
    wrong = altered(good).map(lambda value: yaml.safe_dump(value, sort_keys=False).encode())
    return st.one_of(wrong, wrong, wrong, damaged(yaml.safe_dump(good, sort_keys=False).encode()))


def lines_file(records: list[Any]) -> st.SearchStrategy[bytes]:
    """A file of JSON lines, of which one is wrong."""
    return st.one_of(
        altered(records).map(
            lambda value: b"\n".join(map(as_json, value if isinstance(value, list) else [value]))
        ),
        damaged(b"\n".join(map(as_json, records))),
    )


@st.composite
def table_file(draw: st.DrawFn, good: str) -> bytes:
    """A table whose cells are wrong, or its bytes."""
    if draw(st.integers(0, 4)) == 0:
        return draw(damaged(good.encode()))
    rows = [line.split(",") for line in good.splitlines()]
    for _ in range(draw(st.integers(1, 3))):
        row = draw(st.sampled_from(rows))
        cell = str(draw(SCALARS)).encode("utf-8", "replace").decode()
        row[draw(st.integers(0, len(row) - 1))] = cell
    return "\n".join(map(",".join, rows)).encode()


WORDS = (
    st.sampled_from(TEXTS)
    | st.sampled_from([str(number) for number in NUMBERS])
    | st.sampled_from(("0..3", "1+2", "0..99999999", "3..0", "each", "latent", "zero", "relay"))
    | st.text(max_size=6)
).map(lambda text: text.replace("\0", "\x01"))
"""Values of flags; a shell hands over no NUL."""

COUNTS = ("limit", "reference", "shuffles", "noise_seeds", "gpus", "max_new_tokens", "steps", "k")
"""Flags by which an honest run is as long as one asks for."""

LONG = ("run", "embed", "merge", "help")
"""Flags that start what takes minutes."""


@st.composite
def flags(draw: st.DrawFn, command: str) -> tuple[str, ...]:
    """One to three flags of a command with odd values, a strange one at times."""
    fields = [one.name for one in dataclasses.fields(COMMANDS[command].config)]
    named = draw(
        st.lists(st.sampled_from([n for n in fields if n not in LONG]), min_size=1, max_size=3)
    )
    given: list[str] = []
    for name in named:
        words = WORDS
        if name in COUNTS:
            words = words.filter(lambda word: not (word.isdecimal() and 9 < int(word[:9]) < 2**63))
        values = draw(
            st.lists(words, min_size=0, max_size=2) | st.lists(words, min_size=1, max_size=1)
        )
        given += [f"--{name.replace('_', '-')}", *values]
    if draw(st.integers(0, 9)) == 0:
        given.append(draw(WORDS))
    return tuple(given)


APART = (*LONG, "model", "data", "split", "columns", "limit", "out", "device", "processes", "plan")
"""Flags that say who is asked what and where, or how many there are of what takes long."""

SMALL = {
    "ablate": {"drop": "latent", "reference": "5"},
    "mediation": {"perturb": "blank", "reference": "5"},
    "interchange": {"steps": "all"},
    "probe": {"shuffles": "1"},
    "trace": {"reference": "20"},
}
"""What a command is asked where nothing else is drawn: little, and something that can be done."""


@st.composite
def likely(draw: st.DrawFn, command: str) -> tuple[str, ...]:
    """One to four flags of a command with values that each can have, and now and then an odd one.

    Whether they go together is left to the command.
    """
    hints = get_type_hints(COMMANDS[command].config)
    small = SMALL.get(command, {})
    never = (*APART, "reference", "shuffles")
    fields = [one for one in hints if one not in never and not one.startswith("_")]
    named = draw(st.lists(st.sampled_from(fields), min_size=1, max_size=4, unique=True))
    given: list[str] = []
    for name in named:
        odd = draw(st.integers(0, 11)) == 0
        values = [draw(WORDS)] if odd and name not in COUNTS else draw(_values(hints[name]))
        given += [f"--{name.replace('_', '-')}", *values]
    for name, value in small.items():
        given += [] if name in named else [f"--{name}", value]
    return tuple(given)


def _values(hint: Any) -> st.SearchStrategy[list[str]]:
    """Values of a flag by its type."""
    origin, inner = get_origin(hint), [one for one in get_args(hint) if one is not type(None)]
    if hint is bool:
        return st.just([])
    if origin is Literal:
        return st.sampled_from(inner).map(lambda value: [str(value)])
    if origin is tuple:
        several = st.lists(_values(inner[0]), min_size=1, max_size=2)
        return several.map(lambda lists: [value for values in lists for value in values])
    if origin in (Union, UnionType):
        return st.one_of(*map(_values, inner))
    some = {
        int: ("0", "1", "2", "3"),
        float: ("0", "0.5", "2"),
        str: ("all", "1", "2", "0..2", "2..1", "1,2", "x", ""),
    }
    return st.sampled_from(some[hint]).map(lambda value: [value])


@st.composite
def benchmark(draw: st.DrawFn) -> str:
    """A spec of the benchmark with odd options."""
    names = ("domain", "hops", "seed", "size", "split", "domain_weights", "hop_weights", "hop", "")
    sane = ("1", "4", "1+4", "digits", "digits+colours", "test", "train", "0.5+0.5", "1e-9+1")
    options = draw(
        st.lists(st.tuples(st.sampled_from(names), WORDS | st.sampled_from(sane)), max_size=3)
    )
    text = "benchmark:" + ",".join(f"{name}={value}" for name, value in options)
    return draw(st.sampled_from((text, text, text, text + ",", text.replace("=", ""), text[:-1])))

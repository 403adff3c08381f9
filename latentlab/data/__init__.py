"""Examples, and where they come from.

`load_data` turns the one word a user gives on the command line into a sequence of examples. To add
a source, add a function that takes its options to `SOURCES`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from latentlab.data.benchmark import Benchmark, BenchmarkConfig
from latentlab.data.example import (
    Example,
    Trace,
    counterfactual_answer,
    counterfactual_cells,
    traced,
)
from latentlab.data.folder import DATA_FILE, FolderDataset, export
from latentlab.data.sequence import CachedExamples, Examples, LazyExamples
from latentlab.errors import UserError, did_you_mean

__all__ = [
    "EXAMPLE_SPECS",
    "Benchmark",
    "BenchmarkConfig",
    "CachedExamples",
    "Example",
    "Examples",
    "FolderDataset",
    "LazyExamples",
    "Trace",
    "counterfactual_answer",
    "counterfactual_cells",
    "export",
    "load_data",
    "traced",
]

EXAMPLE_SPECS = """\
benchmark                          the diagnostic benchmark, all domains, four hops
benchmark:domain=digits,hops=1+4   one domain, one or four hops (also: seed, size,
                                   split, domain_weights=2+1+1, hop_weights=3+1)
path/to/folder                     your own data: data.jsonl and the images it names,
                                   in the folder itself or in one folder per split"""
"""Help text: what `load_data` understands."""

Options = dict[str, str]
"""The options of a spec as written, together with the split and seed asked for."""


def load_data(spec: str, split: str = "test", seed: int = 0, limit: int | None = None) -> Examples:
    """The examples that a spec names.

    Args:
        spec: A source with options, or the path of a folder; see `EXAMPLE_SPECS`. A folder that is
            called like a source is reached as "./name".
        split: "train", "validation" or "test", unless the spec says otherwise.
        seed: Seed of what is generated, unless the spec says otherwise.
        limit: Take the first so many examples, or all.

    Returns:
        A lazy sequence.

    Raises:
        UserError: Nothing has that name, or an option is unknown or out of range.
    """
    if limit is not None and limit < 1:
        raise UserError(f"data: limit is {limit}, must be at least 1")
    name, _, rest = spec.partition(":")
    if name in SOURCES:
        data = SOURCES[name]({"split": split, "seed": str(seed)} | _parse(rest, spec))
    elif Path(spec).is_dir():
        data = _folder(Path(spec), split)
    else:
        raise UserError(f"data: no source or folder {spec!r}; {did_you_mean(name, SOURCES)}")
    return data if limit is None else data[:limit]


def _benchmark(options: Options) -> Examples:
    fields: dict[str, tuple[str, Callable[[str], Any]]] = {
        "domain": ("domains", lambda text: tuple(text.split("+"))),
        "domain_weights": ("domain_weights", _fractions),
        "hops": ("hops", lambda text: tuple(int(part) for part in text.split("+"))),
        "hop_weights": ("hop_weights", _fractions),
        "seed": ("seed", int),
        "size": ("size", int),
        "split": ("split", str),
    }
    config: dict[str, Any] = {}
    for option, text in options.items():
        if option not in fields:
            hint = did_you_mean(option, fields)
            raise UserError(f"data: benchmark has no option {option!r}; {hint}")
        field, read = fields[option]
        try:
            config[field] = read(text)
        except ValueError as error:
            raise UserError(f"data: {option}={text} is not made of numbers") from error
    return Benchmark(BenchmarkConfig(**config))


def _fractions(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split("+"))


def _folder(folder: Path, split: str) -> Examples:
    of_split = folder / split
    return FolderDataset(of_split if (of_split / DATA_FILE).is_file() else folder)


def _parse(text: str, spec: str) -> Options:
    """Read "key=value,key=value"."""
    options: Options = {}
    for part in filter(None, text.split(",")):
        key, equals, value = part.partition("=")
        if not (key and equals and value):
            raise UserError(f"data: {part!r} in {spec!r} is not of the form option=value")
        options[key.strip()] = value.strip()
    return options


SOURCES: dict[str, Callable[[Options], Examples]] = {"benchmark": _benchmark}
"""Every named source; each checks its own options."""

"""From the one word that a user gives to the examples it names.

To add a source, add a function that takes its options to `SOURCES`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from latentlab.data.benchmark import Benchmark, BenchmarkConfig
from latentlab.data.collection import TableExamples
from latentlab.data.columns import MAPPED, ColumnReader
from latentlab.data.folder import DATA_FILE, FolderDataset
from latentlab.data.layouts import open_table
from latentlab.data.options import Options
from latentlab.data.published import PUBLISHED, load_published, read_published, recognised
from latentlab.data.sequence import Examples
from latentlab.data.splits import names_of
from latentlab.errors import UserError, did_you_mean
from latentlab.schema import exists

EXAMPLE_SPECS = """\
benchmark                          the diagnostic benchmark, all domains, four hops
benchmark:domain=digits,hops=1+4   one domain, one or four hops (also: seed, size,
                                   split, domain_weights=2+1+1, hop_weights=3+1)
m3cot, scienceqa                   from the hub (options: split, size, pictures)
m3cot:root=path/to/copy            from a folder: parquet, saved by datasets, or the
                                   project's own files
path/to/folder                     your own data: data.jsonl and the images it names,
                                   in the folder itself or in one folder per split, or
                                   any layout of docs/data.md
path/to/table.csv                  your own table, with --columns (also .tsv, .jsonl,
                                   .parquet; options: size)"""
"""Help text: what `load_data` understands."""


SHOWN = 200
"""Characters of a spec that a message shows."""


def load_data(
    spec: str,
    split: str = "test",
    seed: int = 0,
    limit: int | None = None,
    columns: Sequence[str] = (),
    strict: bool = True,
) -> Examples:
    """The examples that a spec names.

    Args:
        spec: A source with options, or the path of a file or folder; see `EXAMPLE_SPECS`. A folder
            that is called like a source is reached as "./name".
        split: "train", "validation" or "test", unless the spec says otherwise.
        seed: Seed of what is generated, unless the spec says otherwise.
        limit: Take the first so many examples, or all.
        columns: Which column of a table of your own holds what, as "field=column".
        strict: Whether to stop at the first example that cannot be used. If not, it is left out,
            and `Examples.left_out` says why; a picture that cannot be read is met on access.

    Returns:
        A lazy sequence.

    Raises:
        UserError: Nothing has that name, or an option is unknown or out of range.
    """
    if limit is not None and limit < 1:
        raise UserError(f"data: limit is {limit}, must be at least 1")
    name, _, rest = spec.partition(":")
    options = Options(split=split, seed=str(seed))
    options.strict = strict
    if name in SOURCES:
        if columns:
            raise UserError(
                f"--columns is for tables of your own: {name} has columns that it knows"
            )
        options.read(rest, spec)
        data = SOURCES[name](options)
    elif exists(Path(spec)) and spec:
        data = _own(Path(spec), options, columns)
    elif name and exists(Path(name)) and rest:
        options.read(rest, spec)
        data = _own(Path(name), options, columns)
    else:
        hint = did_you_mean(name[:SHOWN], SOURCES)
        raise UserError(f"data: no source or folder {spec[:SHOWN]!r}; {hint}")
    return data if limit is None else data[:limit]


def _benchmark(options: Options) -> Examples:
    fields: dict[str, tuple[str, Callable[[str], Any]]] = {
        "domain": ("domains", lambda text: tuple(text.split("+"))),
        "domain_weights": ("domain_weights", _fractions),
        "hops": ("hops", lambda text: tuple(_whole(part) for part in text.split("+"))),
        "hop_weights": ("hop_weights", _fractions),
        "seed": ("seed", _whole),
        "size": ("size", _whole),
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
            raise UserError(f"data: {option}={text[:40]} is not made of numbers") from error
    return Benchmark(BenchmarkConfig(**config))


def _whole(text: str) -> int:
    """A whole number as people write it: `int` also takes 1_0."""
    if not (text.isascii() and text.removeprefix("-").isdecimal()):
        raise ValueError(text)
    return int(text)


def _fractions(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split("+"))


def _own(path: Path, options: Options, columns: Sequence[str]) -> Examples:
    """Data of the user's own, or a published data set that is known by its columns."""
    options.check(str(path), ("size", "pictures", *MAPPED))
    columns = (*columns, *(f"{field}={options[field]}" for field in MAPPED if field in options))
    folders = [path / name for name in names_of(options["split"])]
    own = next((folder for folder in (*folders, path) if (folder / DATA_FILE).is_file()), None)
    if own is not None and not columns:
        return FolderDataset(own, options.strict, options.size())
    table = open_table(path, options["split"])
    if not columns and (name := recognised(table)):
        return read_published(name, table, options)
    return TableExamples(table, ColumnReader(table, columns), options.strict, options.size())


SOURCES: dict[str, Callable[[Options], Examples]] = {
    "benchmark": _benchmark,
    **{name: partial(load_published, name) for name in PUBLISHED},
}
"""Every named source; each checks its own options."""

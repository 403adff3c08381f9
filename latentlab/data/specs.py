"""From the one word that a user gives to the examples it names.

To add a source, add a function that takes its options to `SOURCES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from latentlab.data import m3cot, scienceqa
from latentlab.data.benchmark import Benchmark, BenchmarkConfig
from latentlab.data.collection import ReadRow, TableExamples
from latentlab.data.columns import MAPPED, ColumnReader
from latentlab.data.folder import DATA_FILE, FolderDataset
from latentlab.data.layouts import open_table
from latentlab.data.sequence import Examples
from latentlab.data.splits import names_of
from latentlab.data.stored import hub_table
from latentlab.data.tables import Table
from latentlab.errors import UserError, did_you_mean

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

PICTURES = ("only", "all")
"""Which questions of a published data set are asked: those with a picture, or all."""


class Options(dict[str, str]):
    """The options of a spec as written, together with the split and seed asked for."""

    strict: bool = True
    """Whether to stop at the first example that cannot be used."""


class Reader(Protocol):
    """Makes the function that reads the rows of a published data set."""

    def __call__(self, table: Table, all_examples: bool) -> ReadRow:
        """Read from a table, also questions without a picture if told so."""
        ...


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
    options = Options({"split": split, "seed": str(seed)})
    options.strict = strict
    if name in SOURCES:
        if columns:
            raise UserError(
                f"--columns is for tables of your own: {name} has columns that it knows"
            )
        options.update(_parse(rest, spec))
        data = SOURCES[name](options)
    elif Path(spec).exists():
        data = _own(Path(spec), options, columns)
    elif Path(name).exists() and rest:
        options.update(_parse(rest, spec))
        data = _own(Path(name), options, columns)
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


def _m3cot(options: Options) -> Examples:
    return _published("m3cot", options)


def _scienceqa(options: Options) -> Examples:
    return _published("scienceqa", options)


def _published(name: str, options: Options) -> Examples:
    """M3CoT or ScienceQA, from a folder or from the hub."""
    _check_options(name, options, ("root", "size", "pictures"))
    hub, _, _ = PUBLISHED[name]
    if "root" not in options:
        return _read_published(name, hub_table(hub, options["split"]), options)
    root = Path(options["root"])
    if not root.exists():
        raise UserError(f"data: {name} has root={root}, but there is no such file or folder")
    return _read_published(name, open_table(root, options["split"]), options)


def _read_published(name: str, table: Table, options: Options) -> Examples:
    _, reader, size = PUBLISHED[name]
    if missing := [c for c in ("question", "choices", "answer") if c not in table.columns]:
        hint = did_you_mean(missing[0], table.columns)
        raise UserError(f"{table.name} is no {name}: it has no column {missing[0]!r}; {hint}")
    asked = options.get("pictures", "only")
    if asked not in PICTURES:
        raise UserError(f"data: pictures={asked}; {did_you_mean(asked, PICTURES)}")
    read = reader(table, asked == "all")
    return TableExamples(table, read, options.strict, _size(options, size))


def _own(path: Path, options: Options, columns: Sequence[str]) -> Examples:
    """Data of the user's own, or a published data set, which is known by its columns."""
    inline = [f"{field}={options.pop(field)}" for field in MAPPED if field in options]
    columns = (*columns, *inline)
    _check_options(str(path), options, ("size", "pictures", *MAPPED))
    folders = [path / name for name in names_of(options["split"])]
    own = next((f for f in (*folders, path) if (f / DATA_FILE).is_file()), None)
    if own is not None and not columns:
        return FolderDataset(own, options.strict, _size(options))
    table = open_table(path, options["split"])
    if not columns:
        for name, known in (("m3cot", m3cot.COLUMNS), ("scienceqa", scienceqa.COLUMNS)):
            if known <= set(table.columns):
                return _read_published(name, table, options)
    read = ColumnReader(table, columns)
    return TableExamples(table, read, options.strict, _size(options))


def _size(options: Options, usual: int | None = None) -> int | None:
    text = options.get("size")
    if text is None:
        return usual
    if text == "own":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise UserError(f"data: size={text} is neither a number of pixels nor 'own'")
    return int(text)


def _check_options(name: str, options: Options, known: Iterable[str]) -> None:
    for option in options:
        if option not in (known := (*known, "split", "seed")):
            raise UserError(f"data: {name} has no option {option!r}; {did_you_mean(option, known)}")


def _parse(text: str, spec: str) -> dict[str, str]:
    """Read "key=value,key=value"."""
    options: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        key, equals, value = part.partition("=")
        if not (key and equals and value):
            raise UserError(f"data: {part!r} in {spec!r} is not of the form option=value")
        options[key.strip()] = value.strip()
    return options


PUBLISHED: dict[str, tuple[str, Reader, int | None]] = {
    "m3cot": (m3cot.HUB, m3cot.M3CoTReader, m3cot.SIZE),
    "scienceqa": (scienceqa.HUB, scienceqa.ScienceQAReader, None),
}
"""Where each published data set is, what reads it, and the usual size of its pictures."""

SOURCES: dict[str, Callable[[Options], Examples]] = {
    "benchmark": _benchmark,
    "m3cot": _m3cot,
    "scienceqa": _scienceqa,
}
"""Every named source; each checks its own options."""

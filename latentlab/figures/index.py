"""What a folder of tables and figures holds: for readers, and as a list for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from latentlab.figures.artifacts import Drawing, Table, put
from latentlab.figures.config import INDEX, ORDER
from latentlab.figures.typeset import as_markdown

LISTED = "index.json"
"""Name of the list for programs."""

PARTS = {"main": "Main set", "appendix": "Appendix"}
"""The sets, and their headings."""


@dataclass(frozen=True)
class Entry:
    """One table or figure of a folder."""

    name: str
    """Stem of its files."""

    title: str
    """What it shows, in one line."""

    part: str
    """`main` or `appendix`."""

    kind: str
    """`figure` or `table`."""

    width_in: float
    """Inches at which it is printed."""


def entry(made: Drawing | Table, name: str, title: str, part: str) -> Entry:
    """The line of a table or figure in the list."""
    kind = "figure" if isinstance(made, Drawing) else "table"
    return Entry(name, title, part, kind, made.width)


def update(made: Sequence[Entry], folder: Path) -> None:
    """Write both indexes: of what was made now, and of what was made before and is still there.

    Args:
        made: what was made now.
        folder: where tables and figures are.
    """
    listed = {old.name: old for old in read(folder)} | {new.name: new for new in made}
    there = [one for one in listed.values() if (folder / f"{one.name}.txt").is_file()]
    there.sort(key=_place)
    put(folder / LISTED, (json.dumps([asdict(one) for one in there], indent=1) + "\n").encode())
    put(folder / INDEX, _page(there, folder).encode())


def read(folder: Path) -> list[Entry]:
    """The tables and figures of a folder in the order of the page; none without a list."""
    path = folder / LISTED
    if not path.is_file():
        return []
    return [Entry(**one) for one in json.loads(path.read_text(encoding="utf-8"))]


def _place(one: Entry) -> tuple[int, int, str]:
    """Main set first, each in the order of the page; what that does not name comes last."""
    named = ORDER.index(one.name) if one.name in ORDER else len(ORDER)
    return list(PARTS).index(one.part), named, one.name


def _page(entries: Sequence[Entry], folder: Path) -> str:
    """The index for readers: every table and figure under its finding."""
    parts = [
        "# Tables and figures\n",
        "Made by `python -m latentlab.figures`, each by the file of its name in `experiments/`. "
        "Beside every figure lies a CSV file with the numbers drawn. How they are made is "
        "told in `docs/figures.md`.\n",
    ]
    for part, heading in PARTS.items():
        inside = [one for one in entries if one.part == part]
        parts += [f"# {heading}\n"] if inside else []
        for one in inside:
            table = folder / f"{one.name}.md"
            drawn = one.kind == "figure"
            title = as_markdown(one.title)
            shown = f"![{title}]({one.name}.png)\n" if drawn else table.read_text("utf-8")
            text = as_markdown((folder / f"{one.name}.txt").read_text(encoding="utf-8"))
            parts += [f"## {one.name.replace('_', ' ')}\n\n{title}\n", shown, text]
    return "\n".join(parts)

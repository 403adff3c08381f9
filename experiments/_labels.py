"""Whether models that cite coordinates read them off the picture, and whether answers need them.

    python experiments/_labels.py

`scaffold` and `chain_of_focus` are shown pictures with coordinates drawn in the cells. Here they
are drawn as in training, with rows and columns called otherwise than they stand, and not at all.
This writes `data/labels.csv`: how often the first cited object is right, how often its row and
column are those that the label says and those where it stands, and how often the answer is right.
What a cell is called moves no answer where coordinates are only recited; where a cell is cut out by
what it is called, the next picture shows another one.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from latentlab.checkpoint import load
from latentlab.console import note
from latentlab.data import load_data
from latentlab.data.example import Example, traced
from latentlab.data.scene import GRID
from latentlab.measures.statistics import accuracy_interval
from latentlab.methods import Method
from latentlab.methods.taught.lesson import ROWS
from latentlab.methods.taught.scaffold import IN_ORDER, dotted_cells
from latentlab.study.by_method import own_method, run_by

DATA = Path(__file__).parent / "data" / "labels.csv"

ASKED, LIMIT = "benchmark:hops=4", 500

FIRST_CITED = {"scaffold": 1, "chain_of_focus": 0}
"""The hop whose cell each model cites first: where the way begins, or where it leads."""

DRAWN = {"in order": (IN_ORDER, IN_ORDER), "moved": ((3, 1, 4, 2), (2, 4, 1, 3)), "none": None}
"""What rows and columns are called; neither list leaves a single one in its place."""

_CITED = re.compile(rf"(\w+ \w+) ({'|'.join(ROWS)}) ({'|'.join(ROWS)})\b")


def shown(method: Method, labels: tuple[tuple[int, ...], tuple[int, ...]] | None) -> Method:
    """A method whose pictures carry other labels, or none."""
    if labels is None:
        return replace(method, ask=partial(method.ask, draw=lambda picture: picture))
    rows, columns = labels
    drawn = partial(dotted_cells, rows=rows, columns=columns)
    return replace(method, ask=partial(method.ask, draw=drawn))


def cited(example: Example, said: str, hop: int) -> dict[str, bool | None]:
    """What the first citation has right, in order and as it would be with `moved` labels."""
    match = _CITED.search(said)
    if match is None:
        return dict.fromkeys(("object", "row", "column", "moved_row", "moved_column"))
    trace, _ = traced(example)
    row, column = divmod(trace.cells[hop], GRID)
    rows, columns = DRAWN["moved"]
    told = ROWS.index(match[2]) + 1, ROWS.index(match[3]) + 1
    return {
        "object": match[1] == trace.at(hop),
        "row": told[0] == row + 1,
        "column": told[1] == column + 1,
        "moved_row": told[0] == rows[row],
        "moved_column": told[1] == columns[column],
    }


def lines(limit: int = LIMIT) -> Iterator[dict[str, Any]]:
    """A line for each model and way to draw labels."""
    examples = load_data(ASKED, limit=limit)
    for name, hop in FIRST_CITED.items():
        reasoner = load(name)
        method = own_method(reasoner)
        assert method is not None
        for how, labels in DRAWN.items():
            rows = run_by(reasoner, shown(method, labels), examples, ASKED, 100, longest=96)
            said = [" ".join(c["said"] for c in json.loads(text)) for text in rows["calls_said"]]
            found = [cited(*pair, hop) for pair in zip(examples, said, strict=True)]
            right = pd.DataFrame(found).assign(answer=rows["correct"].to_numpy())
            yield {"model": name, "labels": how, "n": len(right)} | _shares(right)


def _shares(right: pd.DataFrame) -> dict[str, float]:
    """Share and interval of each column; what was not cited is not right."""
    shares = {}
    for column in right:
        interval = accuracy_interval(right[column].eq(True).to_numpy())
        shares |= {
            str(column): interval.mean,
            f"{column}_low": interval.low,
            f"{column}_high": interval.high,
        }
    return shares


if __name__ == "__main__":
    table = pd.DataFrame(lines())
    table.round(4).to_csv(DATA, index=False)
    note(f"{len(table)} lines in {DATA.name}")

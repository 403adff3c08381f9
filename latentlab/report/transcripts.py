"""What models wrote before they answered, as the page shows it: call by call, with the pictures.

The pictures of a call are made again by the method itself, which is told the recorded replies. So
no model runs, and what is shown is what the model saw.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from latentlab.data import Example
from latentlab.figures.style import model_style
from latentlab.methods import METHODS, Method
from latentlab.methods.own import METHOD as OWN
from latentlab.methods.taught import TAUGHT
from latentlab.report.marking import marked
from latentlab.report.packing import Pool, small_uri, whole
from latentlab.report.replay import pictures_of
from latentlab.trace.records import SAID

Plain = dict[str, Any]


def transcripts(
    rows: pd.DataFrame, examples: Mapping[str, Example], models: Sequence[str]
) -> Plain:
    """What the page shows of written answers.

    Args:
        rows: answers with `calls_said` (`trace.written`).
        examples: what they are about, by identifier.
        models: names of all models on the page, which colours depend on.

    Returns:
        `written`: one entry a model and method, with `name`, the model's `colour`, the `paper` of
        its method and its `answers` by example. An answer has `calls` (each a `name`, the numbers
        of the `pictures` that it newly shows, and the pieces of what was `said`, see
        `marking.marked`), `choice`, `text`, `right`, what of the format `failed`, and the `cost` in
        words. `pictures`: the pictures as data URIs, each once.
    """
    pool, entries = Pool(), []
    if rows.empty:
        return {"written": [], "pictures": []}
    asked = rows.drop_duplicates(["model", "method"])["model"].tolist()
    for (model, method), mine in rows.groupby(["model", "method"], sort=False):
        entries.append(
            {
                "name": f"{model}, {method}" if asked.count(model) > 1 else str(model),
                "model": str(model),
                "colour": model_style(str(model), models)[0],
                "paper": _paper(mine.iloc[0]),
                "answers": {
                    str(row["example"]): _answer(row, examples[row["example"]], pool)
                    for _, row in mine.iterrows()
                },
            }
        )
    return {"written": entries, "pictures": pool.values}


def _answer(row: "pd.Series[Any]", example: Example, pool: Pool) -> Plain:
    """One written answer."""
    said = [(str(one["call"]), str(one["said"])) for one in json.loads(row[SAID])]
    marker = str(row["marker"])
    method = _method_of(row)
    shown = [()] * len(said) if method is None else pictures_of(method, example, marker, said)
    calls = []
    for number, ((name, reply), pictures) in enumerate(zip(said, shown, strict=True), 1):
        before, found, _ = reply.rpartition(marker) if marker else ("", "", "")
        # What stands behind the marker is the answer; without a marker the whole last reply is.
        words = before if found else "" if number == len(said) else reply
        calls.append(
            {
                "name": name,
                "pictures": [pool.add(small_uri(one)) for one in pictures],
                "said": marked(words.strip(), example),
            }
        )
    last = said[-1][1]
    return {
        "calls": calls,
        "choice": whole(row["choice"]),
        "text": (last.rpartition(marker)[2] if marker else last).strip(),
        "right": bool(row["correct"]),
        "failed": "" if pd.isna(row.get("failed")) else str(row["failed"]),
        "cost": cost(row),
    }


def cost(row: "pd.Series[Any]") -> str:
    """What an answer took, in words: steps written or latent, positions that ran, pictures."""
    counts = {"step": "autoregressive_steps", "position": "forward_tokens", "picture": "pictures"}
    found = {word: row.get(column) for word, column in counts.items()}
    return ", ".join(
        _counted(int(number), word) for word, number in found.items() if not pd.isna(number)
    )


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def _paper(row: "pd.Series[Any]") -> str:
    """Where the method of an answer is from; empty for a model's own way."""
    method = _method_of(row)
    return "" if method is None or method is OWN else method.paper


def _method_of(row: "pd.Series[Any]") -> Method | None:
    """The method that an answer was made by; None where there is none of the name."""
    name = str(row["method"])
    if bool(row["taught"]):
        return TAUGHT[name].method if name in TAUGHT else None
    return METHODS.get(name)

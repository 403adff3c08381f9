"""The overview: which question each model answered how, alone and under each intervention.

A log viewer shows one sample a line and one run a column; so does this. Numbers are those of the
rows of `evaluate` and `ablate`; the intervals over all questions are those of their summaries, so
that a column's head and the command's table agree. Questions are looked up in the data.

Ten thousand questions have to fit on a page, so everything is stored by column: the answers of a
model under an intervention are one text with one letter a question.
"""

from collections.abc import Iterable, Sequence
from math import isfinite
from string import ascii_lowercase, ascii_uppercase
from typing import Any

import pandas as pd

from latentlab.ablate.phrases import CONTROLS, phrase
from latentlab.data import Example, readable
from latentlab.errors import UserError
from latentlab.measures.outcomes import NONE, SHAM
from latentlab.measures.summary import totals
from latentlab.report.overview_runs import OwnRun
from latentlab.study.asked import load_recorded
from latentlab.vocabulary import CONTROL

Plain = dict[str, Any]
Line = dict[Any, Any]

COMMANDS = ("evaluate", "ablate")
"""Commands whose rows are answers to whole questions."""

STYLE = "overview.css"
"""What it looks like; colours and type are the page's."""

SCRIPTS = (
    "overview.js",
    "overview_grid.js",
    "overview_dialog.js",
)
"""What it does, in order; it uses what stands in the scripts before it."""

ANSWER = ("example", "text", "choice", "correct", "gold_logprob", "option_logprobs")
"""Columns of rows that an answer is made of."""

LONGEST = 300
"""Characters of a reply that are kept."""

UNREAD, UNSCORED, UNASKED = "-", "?", " "
"""Letters of an answer that names no option, of one that nothing scores, and of none at all.

Any other answer is the letter of its option, a capital where it is right."""


def overview_data(runs: Iterable[OwnRun], traces: Plain | None) -> Plain | None:
    """Everything that the overview shows; None where no run asked whole questions.

    Args:
        runs: what was run.
        traces: what `traces.viewer_data` returns, for links to its answers.

    Returns:
        `sets`, one for each body of data, with its `questions` and `columns` (one for each run,
        model and intervention); `texts`, the replies that columns number; and `watched`: the
        examples of which the viewer has a recording, by model.
    """
    runs = [run for run in runs if run.command in COMMANDS]
    texts: dict[str, int] = {}
    sets = []
    for name, asked in _by_data(runs).items():
        ids = list(dict.fromkeys(x for run in asked for x in run.results.rows["example"]))
        questions = _questions(asked, ids)
        columns = [column for run in asked for column in _columns(run, questions, texts)]
        sets.append({"name": name, "questions": questions, "columns": _by_model(columns)})
    recorded = [] if traces is None else traces["models"]
    watched = {one["name"]: [trace["id"] for trace in one["traces"]] for one in recorded}
    return {"sets": sets, "texts": list(texts), "watched": watched} if sets else None


def _by_data(runs: Sequence[OwnRun]) -> dict[str, list[OwnRun]]:
    """Runs by what was asked; data that only seed, split or columns tell apart are named so."""
    settings = [run.results.run["config"] for run in runs]
    keys = [
        (c["data"], c.get("split", ""), c["seed"], tuple(c.get("columns", ()))) for c in settings
    ]
    data = {key[0]: len({k for k in keys if k[0] == key[0]}) for key in keys}
    found: dict[str, list[OwnRun]] = {}
    for run, (spec, split, seed, columns) in zip(runs, keys, strict=True):
        more = ", ".join([split, f"seed {seed}", *columns])
        found.setdefault(spec if data[spec] == 1 else f"{spec} ({more})", []).append(run)
    return found


def _questions(runs: Sequence[OwnRun], ids: Sequence[str]) -> Plain:
    """What was asked, column by column.

    `text`, `choices` and `gold` are missing where the data are not there any more.
    """
    rows = pd.concat([run.results.rows for run in runs]).drop_duplicates("example")
    known = rows.set_index("example").loc[list(ids)]
    examples = _examples(runs, set(ids))
    asked = [examples.get(name) for name in ids]
    return {
        "id": list(ids),
        "text": [one.question if one else None for one in asked],
        "choices": [list(one.choices) if one else None for one in asked],
        "gold": [_gold(one) for one in asked],
        "options": [int(n) for n in known["options"]],
        **{name: [_plain(v) for v in known[name]] for name in ("domain", "topic", "hops")},
    }


def _examples(runs: Sequence[OwnRun], wanted: set[str]) -> dict[str, Example]:
    """The examples that rows are about, as far as the data still hold them."""
    found: dict[str, Example] = {}
    for run in runs:
        config = run.results.run["config"]
        if wanted <= found.keys():
            break
        try:
            read = readable(load_recorded(config, config["limit"]))
        except UserError:
            continue
        found |= {one.id: one for one in read if one.id in wanted}
    return found


def _gold(example: Example | None) -> int | None:
    """Number of the right option, where there is one."""
    known = example and example.choices and example.answer
    return example.choices.index(example.answer) if example and known else None


def _columns(run: OwnRun, questions: Plain, texts: dict[str, int]) -> list[Plain]:
    """The answers of each model of a run under each of its interventions."""
    rows = _by_method(run.results.rows)
    # Of several draws the first stands here; the totals are over all of them.
    rows = rows.drop_duplicates(["model", "intervention", "example"])
    lines = totals(_by_method(run.results.summary)).to_dict("records")
    told = {(line.get("model"), line.get("intervention")): line for line in lines}
    if lost := {*zip(rows["model"], rows["intervention"], strict=True)} - told.keys():
        raise UserError(f"{run.folder} is damaged: its summary has no line for {sorted(lost)[0]}")
    return [
        _column(run, of_arm, told[arm[0], arm[1]], questions, texts)
        for arm, of_arm in rows.groupby(["model", "intervention"], sort=False)
    ]


def _by_method(found: pd.DataFrame) -> pd.DataFrame:
    """Rows or lines in which a model that is asked by several methods is one for each of them."""
    if "method" not in found:
        return found
    return found.assign(model=found["model"] + ", " + found["method"])


def _column(
    run: OwnRun,
    rows: pd.DataFrame,
    line: Line,
    questions: Plain,
    texts: dict[str, int],
) -> Plain:
    """The answers of one model under one intervention, in the order of the questions."""
    first: Line = rows.iloc[0].to_dict()
    model, arm = str(first["model"]), str(first["intervention"])
    records: list[Line] = rows[list(ANSWER)].to_dict("records")
    by_example = {str(row["example"]): row for row in records}
    answers = [by_example.get(name) for name in questions["id"]]
    replies = [None if a is None else _cut(str(a["text"])) for a in answers]
    values = [v for a in answers if a is not None for v in a["option_logprobs"]]
    return {
        "run": run.folder.name,
        "model": model,
        "arm": arm,
        "said": said(first),
        "control": str(first["kind"]) == CONTROL or bool(first.get("control_of")),
        "draws": int(first.get("draws", 1)),
        "total": _total(line),
        "cells": "".join(map(_letter, answers)),
        "texts": [-1 if text is None else texts.setdefault(text, len(texts)) for text in replies],
        # Hundredths of a nat, question after question.
        "logprobs": [round(100 * value) if isfinite(value) else None for value in values],
    }


def said(arm: Line) -> str:
    """What an arm does, in words."""
    name, differs = str(arm["intervention"]), str(arm.get("control", ""))
    words = CONTROLS.get(differs, differs)
    if name == NONE:
        return "left alone"
    if arm.get("action") == SHAM:
        return "its own latents put back (sham)"
    if arm.get("action") == "other":  # an arm that its name describes
        return name
    plain = phrase(pd.Series(arm))
    return f"{plain}, {words}" if words else plain


def _letter(answer: Line | None) -> str:
    """One answer as one letter."""
    if answer is None:
        return UNASKED
    choice, right = answer["choice"], bool(answer["correct"])
    if pd.isna(answer["gold_logprob"]):
        return UNSCORED
    if pd.isna(choice):
        return UNREAD
    return (ascii_uppercase if right else ascii_lowercase)[int(choice)]


def _cut(text: str) -> str:
    """A reply as far as it is kept."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _by_model(columns: list[Plain]) -> list[Plain]:
    """Columns with those of one model side by side, whichever run they are of."""
    order = list(dict.fromkeys(column["model"] for column in columns))
    return sorted(columns, key=lambda column: order.index(column["model"]))


def _total(line: Line) -> Plain:
    """What the summary says of an arm: fractions, with their intervals, where it has them."""
    names = [f"{value}{end}" for value in ("accuracy", "delta") for end in ("", "_low", "_high")]
    return {"n": int(line["n"]), **{name: _plain(line.get(name)) for name in names}}


def _plain(value: Any) -> Any:
    """A value as JSON knows it."""
    if value is None or value is pd.NA or value != value:
        return None
    value = value.item() if hasattr(value, "item") else value
    return round(value, 4) if isinstance(value, float) else value

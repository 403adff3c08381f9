"""Says how often replies are right by each rule, and where the rules part."""

from collections.abc import Mapping
from pathlib import Path
from string import ascii_uppercase
from typing import Any, get_args

import pandas as pd

from latentlab.console import estimate, show, table
from latentlab.measures.outcomes import NONE
from latentlab.measures.scores import Step
from latentlab.measures.summary import ALL
from latentlab.score.summary import GROUPS, WHO

HEADINGS = {
    "official": "official (M3CoT) %",
    "accuracy": "strict %",
    "index": "index (ScienceQA) %",
    "likelihood": "by likelihood %",
}
"""Headings of the readings that the table shows."""

RULES = {
    "official": "official rule",
    "accuracy": "strict rule",
    "index": "index rule",
    "lenient": "published any-match",
}
"""Readings that sentences tell, and what they are called; any-match is told there alone."""

DIFFERENCES = {
    "step": "official decides by",
    "replies": "replies",
    "differ": "strict reads otherwise",
    "unread": "no choice at all",
    "official_right": "only official right",
    "strict_right": "only strict right",
}
"""Columns of `differences`, and their headings."""

_TAIL = 160
"""Characters of a reply that are shown; an answer stands at its end."""


def show_tables(summary: pd.DataFrame) -> None:
    """Put one table on the screen for each file, model and arm."""
    for who, lines in summary.groupby(WHO, sort=False):
        readings = {name: text for name, text in HEADINGS.items() if lines[name].notna().any()}
        columns = {"questions": "questions", "n": "n"} | readings
        shown = lines.assign(questions=[_group(line) for _, line in lines.iterrows()])
        table(shown, columns, f"{_called(who)}; 95 % Wilson intervals", percent=tuple(readings))


def differences(rows: pd.DataFrame) -> pd.DataFrame:
    """How often the official and the strict rule read a reply differently.

    Returns:
        One line per file, model, arm and step of the official rule: `replies` that the step
        decided, `differ` of them that the strict rule reads otherwise, `unread` of these in which
        it finds no choice, and `official_right` and `strict_right`, where only the one is right.
    """
    read = rows[rows["correct_official"].notna()]
    differ = read["choice"].fillna(-1) != read["choice_official"].fillna(-1)
    official, strict = read["correct_official"].astype(bool), read["correct"].astype(bool)
    counted = read[WHO].assign(
        step=pd.Categorical(read["official_step"], get_args(Step)),
        replies=1,
        differ=differ,
        unread=differ & read["choice"].isna(),
        official_right=official & ~strict,
        strict_right=strict & ~official,
    )
    steps = counted.groupby([*WHO, "step"], sort=False, observed=True).sum().reset_index()
    return steps.sort_values("step", kind="stable")


def show_differences(rows: pd.DataFrame, examples: int) -> None:
    """Put a table of `differences` on the screen, and some replies on which the verdicts differ.

    Args:
        rows: rows of `score.rows.rows_of`.
        examples: how many replies to show of each step and verdict.
    """
    for who, lines in differences(rows).groupby(WHO, sort=False):
        table(lines, DIFFERENCES, f"{_called(who)}: where official and strict part")
    parted = rows[rows["correct_official"].notna() & (rows["correct_official"] != rows["correct"])]
    for _, alike in parted.groupby([*WHO, "official_step", "correct_official"], sort=False):
        for row in alike.head(examples).to_dict("records"):
            show(_told(row))


def conclusion(summary: pd.DataFrame, rows: pd.DataFrame) -> list[str]:
    """One sentence for each file, model and arm."""
    apart = differences(rows).groupby(WHO)["differ"].sum()
    told = []
    for _, line in summary[(summary[list(GROUPS)] == ALL).all(axis=1)].iterrows():
        who = tuple(line[WHO])
        known = [name for name in RULES if pd.notna(line[name])]
        scores = [f"{estimate(line, name)} by the {RULES[name]}" for name in known]
        text = f"{_called(who)}: {', '.join(scores)}, of {line['n']:,} questions"
        if who in apart.index:
            text += f"; official and strict read {apart[who]:,} replies differently"
        told.append(f"{text}.")
    return told


def _group(line: "pd.Series[Any]") -> str:
    """Which questions a line is about; topics stand below their domain."""
    if line["topic"] != ALL:
        return f"  {line['topic']}"
    if line["grades"] != ALL:
        return f"grades {line['grades']}"
    return str(line["domain"] if line["modality"] == ALL else line["modality"])


def _told(row: Mapping[Any, Any]) -> str:
    """One reply on which the verdicts differ, in a sentence."""
    right = "official" if row["correct_official"] else "strict"
    strict = "none" if pd.isna(row["choice"]) else ascii_uppercase[row["choice"]]
    official = f"{row['official_letter'] or 'none'} ({row['official_step']})"
    tail = " ".join(row["text"][-_TAIL:].split())
    return (
        f"{Path(row['file']).name}, line {row['line']}: only {right} is right, official reads "
        f"{official}, strict {strict}, the answer is {row['gold']}: ... {tail}"
    )


def _called(who: object) -> str:
    """Whose replies, in words."""
    assert isinstance(who, tuple)
    file, model, data, arm = map(str, who)
    # A file that does not say whose replies it holds is called by its name.
    whose = [model] if model == Path(file).stem else [file, model]
    return ", ".join(filter(None, [*whose, data, "" if arm == NONE else arm]))

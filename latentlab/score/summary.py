"""Lines about replies: how often right, by each rule, in all and by the groups of the projects."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from latentlab.measures.clusters import clusters_of
from latentlab.measures.statistics import accuracy_interval
from latentlab.measures.summary import ALL

READINGS = {
    "official": "correct_official",
    "accuracy": "correct",
    "index": "correct_index",
    "likelihood": "correct_likelihood",
    "lenient": "correct_lenient",
}
"""Columns of the lines, and the columns of the rows they are made of."""

WHO = ["file", "model", "data", "intervention"]
"""Columns that say whose replies a line is about."""

GROUPS = ("domain", "topic", "modality", "grades")
"""Columns that divide examples; a line that does not divide by one reads `all` there."""

MODALITIES = ("has text", "has image", "no context")
"""What goes with a question, as ScienceQA's table calls it."""

GRADES = {"1-6": range(1, 7), "7-12": range(7, 13)}
"""ScienceQA's two groups of grades."""


def summary_of(rows: pd.DataFrame) -> pd.DataFrame:
    """One line per file, model, arm and group of examples.

    Groups are all examples, domains, and topics within domains; of ScienceQA, whose domains are its
    subjects, also those of its own table: questions with a hint, with a picture and with neither (a
    question may have both), and grades 1 to 6 and 7 to 12.

    Args:
        rows: rows of `score.rows.rows_of`.

    Returns:
        `file, model, data, intervention, domain, topic, modality, grades, n` and, each with `_low`
        and `_high`, the fraction of right answers with its Wilson interval, of examples that share
        scans where lines say so (`measures.clusters`): `official`, `accuracy`
        (strict), `index`, `likelihood`, `lenient`; missing where a rule does not apply.
    """
    return pd.DataFrame(_lines(rows))


def _lines(rows: pd.DataFrame) -> Iterator[dict[str, object]]:
    for who, theirs in rows.groupby(WHO, sort=False):
        head: dict[str, object] = dict(zip(WHO, who, strict=True)) | dict.fromkeys(GROUPS, ALL)
        for group, members in _groups(theirs):
            yield {**head, **group, "n": len(members), **_measure(members)}


def _groups(rows: pd.DataFrame) -> Iterator[tuple[dict[str, str], pd.DataFrame]]:
    yield {}, rows
    for domain, of_domain in rows[rows["domain"] != ""].groupby("domain"):
        yield {"domain": str(domain)}, of_domain
        for topic, of_topic in of_domain[of_domain["topic"] != ""].groupby("topic"):
            yield {"domain": str(domain), "topic": str(topic)}, of_topic
    science = rows[rows["scienceqa"]]
    text, image = science["has_text"], science["has_image"]
    for name, held in zip(MODALITIES, (text, image, ~text & ~image), strict=True):
        if held.any():
            yield {"modality": name}, science[held]
    grade = pd.to_numeric(science["grade"].str.removeprefix("grade"), errors="coerce")
    for name, grades in GRADES.items():
        if (held := grade.isin(grades)).any():
            yield {"grades": name}, science[held]


def _measure(group: pd.DataFrame) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, column in READINGS.items():
        known = group[group[column].notna()]
        if len(known):
            right = known[column].astype(bool).to_numpy()
            found |= accuracy_interval(right, clusters_of(known)).columns(name)
        else:
            found |= dict.fromkeys((name, f"{name}_low", f"{name}_high"), np.nan)
    return found

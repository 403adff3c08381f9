"""What results answer to each question of the page: one plain sentence and a small table.

The sentence is about the models in question; the table has the controls beside them. Both are made
of summaries alone, and either is left out where its study was not run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from latentlab.ablate.amounts import verdict
from latentlab.calibrate.verdicts import BROKEN, ONE_RULE, SHAM
from latentlab.figures import studies
from latentlab.measures.outcomes import NONE
from latentlab.report import readings
from latentlab.report.cast import EXCHANGED, knock_outs, results_of
from latentlab.report.lead import MOST, RULES, removals
from latentlab.report.tables import TableGrid, grid
from latentlab.report.wording import change, interval, share
from latentlab.study.results import Results
from latentlab.vocabulary import PARTS
from latentlab.wording import joined

Found = Mapping[str, Results]


@dataclass(frozen=True)
class Answer:
    """An answer."""

    sentence: str
    """In one plain sentence; empty where no result says it."""

    table: TableGrid | None
    """In a small table."""


def answer_to(anchor: str, found: Found, models: Sequence[str]) -> Answer:
    """Answer one question of `questions.QUESTIONS`.

    Args:
        anchor: which one.
        found: results by the name of their study.
        models: those that the sentence is about.
    """
    if anchor not in _ANSWERS:
        return Answer("", None)
    sentence, rows = _ANSWERS[anchor](found, models[:MOST])
    return Answer(sentence, grid(rows))


Told = tuple[str, list[dict[str, str]]]


def _trust(found: Found, models: Sequence[str]) -> Told:
    """How many readings tell models of known truth apart."""
    if not (results := results_of(found, studies.CALIBRATION)):
        return "", []
    summary = results.summary
    lines = summary[summary["role"] != SHAM]
    every = lines.drop_duplicates(["instrument", "part"])
    read = every[every["verdict"] != ONE_RULE]
    broken = read[read["verdict"] == BROKEN]
    sentence = (
        f"{len(read) - len(broken)} of {len(read)} readings are higher on every model that needs "
        "its latents than on every model that cannot, intervals apart"
    )
    if alone := len(every) - len(read):
        sentence += f"; {alone} more take slots away in one way only, and are not trusted alone"
    if len(broken):
        names = joined(dict.fromkeys(broken["instrument"]))
        sentence += f"; broken, and believed nowhere: {names}"
    rows = []
    for (link, part), group in read.groupby(["link", "part"], sort=False):
        what, where = PARTS.get(str(part), str(part)), str(link).replace("->", "→")
        bad = int((group["verdict"] == BROKEN).sum())
        known = lines[(lines["link"] == link) & (lines["part"] == part)]
        rows.append(
            {
                "what is read": f"{where}, {what}",
                "readings": str(len(group)),
                "tell controls apart": str(len(group) - bad),
                "read high on": _names(known, "positive"),
                "must read low on": _names(known, "negative"),
            }
        )
    return f"{sentence}.", rows


def _names(lines: pd.DataFrame, role: str) -> str:
    """Models of a role."""
    return ", ".join(dict.fromkeys(lines.loc[lines["role"] == role, "model"])) or "–"


def _matter(found: Found, models: Sequence[str]) -> Told:
    """What is left of the answers without the latents of the question."""
    lines, rows, told = knock_outs(found), [], []
    for (model, _), mine in lines.groupby(["model", "data"], sort=False):
        alone = mine[mine["intervention"] == NONE].iloc[0]
        row = {"model": str(model)}
        ways, other = removals("latent", mine), mine[mine["intervention"] == EXCHANGED]
        if "kept" in ways:
            row["slots emptied, change"] = _points(ways["kept"])
        for _, line in other.iterrows():
            row["another question’s latents, change"] = _points(line)
            if model in models:
                told.append(f"{model} answers {share(line)} instead of {share(alone)}")
        rows.append(row)
    sentence = f"On another question’s latents {joined(told)}." if told else ""
    return sentence, rows


def _part(found: Found, models: Sequence[str]) -> Told:
    """What emptying either part changes."""
    rows, told = [], []
    for model, mine in knock_outs(found).groupby("model", sort=False):
        row, clauses = {"model": str(model)}, []
        for part in ("latent_text", "latent_vision"):
            if "kept" in (ways := removals(part, mine)):
                row[f"{PARTS[part]} emptied, change"] = _points(ways["kept"])
                seen = "" if verdict(ways["kept"]) in ("harm", "gain") else ", not measurably"
                clauses.append(f"of its {PARTS[part]} by {change(ways['kept'])}{seen}")
        if len(row) > 1:
            rows.append(row)
        if model in models and clauses:
            told.append(f"{model}, {joined(clauses)}")
    return (f"Emptying the slots changes accuracy: {'; '.join(told)}." if told else ""), rows


def _content(found: Found, models: Sequence[str]) -> Told:
    """What removal changes under each rule of positions."""
    rows, told = [], []
    for model, mine in knock_outs(found).groupby("model", sort=False):
        for part in ("latent_text", "latent_vision"):
            if len(ways := removals(part, mine)) < len(RULES):
                continue
            row = {"model": str(model), "taken away": PARTS[part]}
            row |= {f"{RULES[rule]}": _points(ways[rule]) for rule in RULES}
            harms = [RULES[rule] for rule in RULES if verdict(ways[rule]) == "harm"]
            if harms or model in models:
                rows.append(row)
            if model in models:
                said = "content" if len(harms) == len(RULES) else "positions"
                why = f"harm when {joined(harms)}" if harms else "no measurable harm"
                why = "harm however it is taken away" if said == "content" else why
                said = said if harms else "neither"
                told.append(f"{model}, {PARTS[part]}: {said} ({why})")
    return (f"{'; '.join(told)}." if told else ""), rows


def _points(line: "pd.Series[float]") -> str:
    """A change in points."""
    return interval(line, "delta", 100, sign=True)


_ANSWERS: dict[str, Callable[[Found, Sequence[str]], Told]] = {
    "trust": _trust,
    "matter": _matter,
    "part": _part,
    "content": _content,
    "hold": readings.held,
    "flow": readings.flow,
    "attention": readings.attention,
}
"""Who answers what; other trainings are read off their figures."""

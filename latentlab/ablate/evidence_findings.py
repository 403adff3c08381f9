"""What latents supplied where the picture lacks it, as a table and in sentences."""

from typing import TYPE_CHECKING

import pandas as pd

from latentlab import console
from latentlab.ablate.amounts import points
from latentlab.ablate.evidence import MASKED, OTHER_MASKED, SHOWN
from latentlab.ablate.evidence_summary import evidence_lines
from latentlab.ablate.removals import Done, effects
from latentlab.console import estimate, table
from latentlab.measures.outcomes import NONE
from latentlab.measures.summary import ALL
from latentlab.study.results import Results

if TYPE_CHECKING:
    Line = pd.Series[float]

WIDE = 145
"""Columns of a screen below which the table is cut in two."""


def without_evidence(results: Results) -> pd.DataFrame:
    """Lines of a summary that are not about what a picture lacks, for the usual tables."""
    if "evidence" not in results.rows:
        return results.summary
    about = results.rows["evidence"].fillna("") != ""
    rows = results.rows[about & (results.rows["intervention"] != NONE)]
    return results.summary[~results.summary["intervention"].isin(rows["intervention"])]


def show_evidence(rows: pd.DataFrame) -> None:
    """Put one table a model on the screen.

    Args:
        rows: rows of `ablate --mask-evidence`, of any number of models.
    """
    lines = evidence_lines(rows)
    for model, of in lines[lines["domain"] == ALL].groupby("model", sort=False):
        put_back = of["evidence"].eq(MASKED) & of["vision_slots"].eq("own")
        shown = of[of["needed_cell"].eq(ALL) | put_back]
        wide = console.results.width >= WIDE
        if wide:
            heads = {"evidence": "evidence", "vision_slots": "patches", "text_slots": "text"}
            heads |= {"positions": "positions", "needed_cell": "needed cell"}
        else:
            shown = shown.assign(run=[_run(line) for _, line in shown.iterrows()])
            heads = {"run": "evidence: patches, text"}
        heads |= {"n": "n"}
        counted = {"accuracy": "accuracy %", "likelihood": "by likelihood %"}
        above = {"supplied": "above empty, points", "supplied_smallest": "could tell"}
        for columns in [heads | counted | above] if wide else [heads | counted, heads | above]:
            table(
                shown,
                columns,
                f"{model} on {of['data'].iloc[0]} where the picture shows, or lacks, what a hop "
                "needs; 95 % intervals",
                percent=("accuracy", "likelihood", "supplied", "supplied_smallest"),
            )


def _run(line: "Line") -> str:
    """Input, slots and cells of a line, for a narrow screen."""
    slots = [str(line[name]) for name in ("vision_slots", "text_slots") if line[name]]
    cell = str(line["needed_cell"])
    more = [word for word in (str(line["positions"]), "" if cell == ALL else cell) if word]
    return f"{line['evidence']}: {', '.join(slots)}" + (f" ({', '.join(more)})" if more else "")


def evidence_sentences(rows: pd.DataFrame) -> list[str]:
    """One paragraph a model; none where no evidence was masked."""
    if "evidence" not in rows:
        return []
    lines = evidence_lines(rows)
    total = lines[lines["domain"] == ALL].groupby("model", sort=False)
    return [evidence_sentence(str(model), of) for model, of in total]


def evidence_sentence(model: str, lines: pd.DataFrame) -> str:
    """What a model's latents supply, in one paragraph of three sentences.

    Args:
        model: its name.
        lines: lines of `ablate.evidence_summary` over all domains, of this model alone.
    """
    vision = bool((lines["vision_slots"] != "").any())
    varied, part = ("vision_slots", "patches") if vision else ("text_slots", "latent text")
    plain = lines[lines["text_slots"].ne("own")] if vision else lines
    whole = plain[plain["needed_cell"] == ALL]
    blank = whole[whole["evidence"] == MASKED]
    own, anew, other = (_one(blank, **{varied: slots}) for slots in ("own", "remade", "other"))
    parts = plain[plain["evidence"].eq(MASKED) & plain[varied].eq("own")]
    supplied = [
        f"{estimate(at, 'supplied', 'points')} where that cell is {at['needed_cell']} "
        f"(n = {at['n']})"
        for _, at in parts[parts["needed_cell"] != ALL].iterrows()
    ]
    beside = _one(whole[whole["evidence"] == OTHER_MASKED], **{varied: "remade"})
    shown = whole[whole["evidence"].eq(SHOWN) & whole[varied].eq("empty")]
    ways = {str(line["positions"]): line for _, line in shown.iterrows()}
    seen = effects([Done(f"without its {part} on the whole picture", ways)])
    return (
        f"Where the cell that a hop needs is blank, {model} is right in "
        f"{estimate(anew, 'accuracy')} of {anew['n']} questions, and with its {part} of the whole "
        f"picture put back in {estimate(own, 'accuracy')} (another question's: "
        f"{estimate(other, 'accuracy')}). "
        f"Next to slots left empty these supply {estimate(own, 'supplied', 'points')}"
        f"{_untold(own)}{': ' if supplied else ''}{' and '.join(supplied)}. "
        f"With a cell off the walk blank it is right in {estimate(beside, 'accuracy')}; "
        f"{seen}."
    )


def _untold(line: "Line") -> str:
    """What could have been told of a supply that may be none."""
    if line["supplied_low"] > 0 or line["supplied_high"] < 0:
        return ""
    return f" (the smallest that could be told: {points(line['supplied_smallest'])})"


def _one(lines: pd.DataFrame, **values: str) -> "Line":
    """The one line with these values."""
    for name, value in values.items():
        lines = lines[lines[name] == value]
    return lines.iloc[0]

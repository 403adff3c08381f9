"""What latents supplied where the picture lacks it, as a table and in sentences."""

from typing import TYPE_CHECKING

import pandas as pd

from latentlab.ablate.amounts import points, right
from latentlab.ablate.evidence import MASKED, OTHER_MASKED, SHOWN
from latentlab.ablate.evidence_summary import evidence_lines
from latentlab.ablate.removals import Done, effects
from latentlab.console import amount, estimate, table
from latentlab.measures.outcomes import NONE
from latentlab.measures.summary import ALL
from latentlab.study.results import Results
from latentlab.wording import POSITIONS, data_name, paragraph, sentence

if TYPE_CHECKING:
    Line = pd.Series[float]

SPARE = ("supplied_smallest", "likelihood")
"""Columns that a narrow screen does without, the first to go first."""

SLOTS = {"own": "its own", "remade": "remade", "other": "another question's", "empty": "no"}
"""What slots hold."""

_EVIDENCE = {
    SHOWN: "whole picture",
    MASKED: "needed cell blank",
    OTHER_MASKED: "other cell blank",
}
_COLUMNS = {
    "run": "picture: patches, text",
    "n": "n",
    "accuracy": "accuracy, %",
    "likelihood": "by likelihood, %",
    "supplied": "change from empty slots, points",
    "supplied_smallest": "would have shown",
}


def without_evidence(results: Results) -> pd.DataFrame:
    """Lines of a summary that are not about what a picture lacks, for the usual tables."""
    if "evidence" not in results.rows:
        return results.summary
    about = results.rows["evidence"].fillna("") != ""
    rows = results.rows[about & (results.rows["intervention"] != NONE)]
    return results.summary[~results.summary["intervention"].isin(rows["intervention"])]


def show_evidence(rows: pd.DataFrame, seed: int) -> None:
    """Put one table a model on the screen.

    Args:
        rows: rows of `ablate --mask-evidence`, of any number of models.
        seed: seed of the bootstrap.
    """
    lines = evidence_lines(rows, seed)
    for model, of in lines[lines["domain"] == ALL].groupby("model", sort=False):
        put_back = of["evidence"].eq(MASKED) & of["vision_slots"].eq("own")
        shown = of[of["needed_cell"].eq(ALL) | put_back]
        data = data_name(str(of["data"].iloc[0]))
        table(
            shown.assign(run=[_run(line) for _, line in shown.iterrows()]),
            _COLUMNS,
            f"{model} on {data}, where the picture shows, or lacks, what a hop needs",
            percent=("accuracy", "likelihood", "supplied", "supplied_smallest"),
            changes=("supplied",),
            spare=SPARE,
            source="rows.parquet",
        )


def _run(line: "Line") -> str:
    """What the picture shows, what slots hold, and whether the needed cell was picked."""
    slots = [
        f"{SLOTS[str(line[name])]} {what}"
        for name, what in (("vision_slots", "patches"), ("text_slots", "latent text"))
        if line[name]
    ]
    cell, positions = str(line["needed_cell"]), str(line["positions"])
    more = [POSITIONS[positions].removeprefix("with ")] if positions else []
    more += [] if cell == ALL else [f"needed cell {cell}"]
    text = f"{_EVIDENCE[str(line['evidence'])]}: {', '.join(slots)}"
    return text + (f" ({', '.join(more)})" if more else "")


def evidence_sentences(rows: pd.DataFrame, seed: int) -> list[str]:
    """One paragraph a model; none where no evidence was masked."""
    if "evidence" not in rows:
        return []
    lines = evidence_lines(rows, seed)
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
    picked = [
        f"{right(at)} of {at['n']} where that cell is {at['needed_cell']}"
        for _, at in parts[parts["needed_cell"] != ALL].iterrows()
    ]
    beside = _one(whole[whole["evidence"] == OTHER_MASKED], **{varied: "remade"})
    shown = whole[whole["evidence"].eq(SHOWN) & whole[varied].eq("empty")]
    ways = {str(line["positions"]): line for _, line in shown.iterrows()}
    seen = effects([Done(f"without its {part} on the whole picture", ways)])
    return paragraph(
        model,
        sentence(
            f"where the cell that a hop needs is blank it is right in {right(anew)} of "
            f"{anew['n']} questions, with its {part} of the whole picture put back in "
            f"{estimate(own, 'accuracy')}"
            + (f" ({', '.join(picked)})" if picked else "")
            + f", with another question's in {right(other)}"
        ),
        sentence(_supplied(own)),
        sentence(f"with a cell off the walk blank it is right in {right(beside)}", *seen),
    )


def _supplied(line: "Line") -> str:
    """What latents put back give beyond slots left empty."""
    if line["supplied_low"] > 0 or line["supplied_high"] < 0:
        verb = "gains" if line["supplied"] > 0 else "loses"
        size = sorted(abs(line[f"supplied{end}"]) for end in ("_low", "_high"))
        told = amount(abs(line["supplied"]), size[0], size[1], "points")
        return f"next to the same slots left empty it {verb} {told} by them"
    told = points(line["supplied_smallest"])
    return f"they give nothing measurable beyond empty slots (more than {told} would have shown)"


def _one(lines: pd.DataFrame, **values: str) -> "Line":
    """The one line with these values."""
    for name, value in values.items():
        lines = lines[lines[name] == value]
    return lines.iloc[0]

"""What latents supplied where the picture lacks it, as a table and in sentences."""

from typing import TYPE_CHECKING

import pandas as pd

from latentlab.ablate.evidence import MASKED, OTHER_MASKED, SHOWN
from latentlab.ablate.evidence_summary import evidence_lines
from latentlab.console import estimate, table
from latentlab.measures.outcomes import NONE
from latentlab.measures.summary import ALL
from latentlab.study.results import Results

if TYPE_CHECKING:
    Line = pd.Series[float]


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
        table(
            of[of["needed_cell"].eq(ALL) | put_back],
            {
                "evidence": "evidence",
                "vision_slots": "patches",
                "text_slots": "text",
                "positions": "positions",
                "needed_cell": "needed cell",
                "n": "n",
                "accuracy": "accuracy %",
                "likelihood": "by likelihood %",
                "supplied": "above empty, points",
                "supplied_smallest": "n could tell",
            },
            f"{model} on {of['data'].iloc[0]} where the picture shows, or lacks, what a hop needs; "
            "95 % intervals",
            percent=("accuracy", "likelihood", "supplied", "supplied_smallest"),
        )


def evidence_sentences(rows: pd.DataFrame, seed: int) -> list[str]:
    """One paragraph a model; none where no evidence was masked."""
    if "evidence" not in rows:
        return []
    lines = evidence_lines(rows, seed)
    total = lines[lines["domain"] == ALL].groupby("model", sort=False)
    return [evidence_sentence(str(model), of) for model, of in total]


def evidence_sentence(model: str, lines: pd.DataFrame) -> str:
    """What a model's latents supply, in one paragraph.

    Args:
        model: its name.
        lines: lines of `ablate.evidence_summary` over all domains, of this model alone.
    """
    vision = bool((lines["vision_slots"] != "").any())
    varied, part = ("vision_slots", "patches") if vision else ("text_slots", "latent text")
    plain = lines[lines["text_slots"].ne("own")] if vision else lines
    whole = plain[plain["needed_cell"] == ALL]
    blank = whole[whole["evidence"] == MASKED]
    own, anew, other = (_one(blank, **{varied: s}) for s in ("own", "remade", "other"))
    empty = blank[blank[varied] == "empty"]
    text = (
        f"{model}: where the cell that a hop needs is blank in the picture, it is right in "
        f"{estimate(anew, 'accuracy')} of {anew['n']}; with its {part} of the whole picture put back, in "
        f"{estimate(own, 'accuracy')}; with another question's, in {estimate(other, 'accuracy')}; with none ("
        + ", ".join(f"positions {e['positions']}" for _, e in empty.iterrows())
        + "), in "
        + ", ".join(estimate(e, "accuracy") for _, e in empty.iterrows())
        + f". So these supply {estimate(own, 'supplied', 'points')}"
    )
    where = plain[(plain["evidence"] == MASKED) & (plain[varied] == "own")]
    for _, at in where[where["needed_cell"] != ALL].iterrows():
        text += f", {estimate(at, 'supplied', 'points')} where the cell is {at['needed_cell']} (n = {at['n']})"
    beside = _one(whole[whole["evidence"] == OTHER_MASKED], **{varied: "remade"})
    text += f". With a cell off the walk blank it is right in {estimate(beside, 'accuracy')}"
    seen = whole[whole["evidence"].eq(SHOWN) & whole[varied].eq("empty")]
    told = [
        f"{estimate(e, 'delta', 'points')} (positions {e['positions']})" for _, e in seen.iterrows()
    ]
    return f"{text}. On the whole picture, without them it changes by {', '.join(told)}."


def _one(lines: pd.DataFrame, **values: str) -> "Line":
    """The one line with these values."""
    for name, value in values.items():
        lines = lines[lines[name] == value]
    return lines.iloc[0]

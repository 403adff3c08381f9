"""What counterfactual donors did to answers, as a table and in sentences.

An answer that becomes what the edited patch says is a strict flip, one that becomes anything else a
false flip. A sham as large as the change says how many of them any such disturbance makes.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from latentlab.console import estimate, table
from latentlab.interchange.edits import DONOR
from latentlab.interchange.summary import FRACTIONS
from latentlab.measures.summary import ALL

if TYPE_CHECKING:
    Line = pd.Series[float]

SHAMS = {
    "permuted": "the same with its dimensions permuted",
    "other_question": "another question's change",
    "off_walk": "a mark off the walk",
}
"""What each sham puts in, as sentences name it."""

_LABELS = {
    "": "text",
    "needed": "needed patch",
    "every": "every patch",
    "permuted": "  sham: permuted",
    "other_question": "  sham: other's",
    "off_walk": "  sham: off walk",
}


def of_edits(summary: pd.DataFrame) -> pd.DataFrame:
    """The lines of counterfactual donors over all domains."""
    lines = summary[(summary["donor"] == DONOR) & (summary["domain"] == ALL)]
    # On disk an empty text is a missing one.
    return lines.fillna({"sham": "", "patches": "", "context": ""}).astype({"hop": int})


def show_flips(summary: pd.DataFrame) -> None:
    """Put one table a model and hop on the screen; shams and picks for the widest exchange only."""
    for (model, hop), of in of_edits(summary).groupby(["model", "hop"], sort=False):
        widest = of["steps"] == of.groupby("part")["steps"].transform("last")
        real, whole = of["sham"] == "", of["needed_cell"] == ALL
        shown = of[(real & (whole | widest)) | (whole & widest & of["sham"].ne("self"))]
        labels = zip(shown["sham"], shown["patches"], strict=True)
        shown = shown.assign(what=[_LABELS[sham or patches] for sham, patches in labels])
        data, context = of[["data", "context"]].iloc[0]
        table(
            shown,
            {
                "part": "part",
                "steps": "steps",
                "what": "changed",
                "needed_cell": "needed cell",
                "n": "n",
                "change_norm": "size",
                "keeps_own": "own answer %",
                "strict_flip": "strict flips %",
                "false_flip": "false flips %",
                "strict_flip_above": "above sham, points",
            },
            f"{model} on {data}: the mark that hop {hop} reads changed in latents alone, "
            f"all else {context}; 95 % intervals",
            percent=(*FRACTIONS, "strict_flip_above"),
        )


def flip_sentences(summary: pd.DataFrame) -> Iterator[str]:
    """For each part of each model and hop the widest exchange, then what putting back did."""
    lines = of_edits(summary)
    for (model, hop), of in lines.groupby(["model", "hop"], sort=False):
        one = of["part"].nunique() == 2  # both parts together are the same thing once more
        for part, of_part in of[of["sham"] != "self"].groupby("part", sort=False):
            if one and part == "latent":
                continue
            yield _sentence(str(model), str(hop), of_part[of_part["steps"] == _last(of_part)])
        back = of[(of["sham"] == "self") & (of["needed_cell"] == ALL)]
        flips, moved = round((back["flip"] * back["n"]).sum()), (back["kl"] != 0).any()
        yield (
            f"{model}: its own latents put back, {flips} flips of {back['n'].sum()} answers"
            f"{': the instrument itself disturbs the model' if moved else ''}."
        )


def _sentence(model: str, hop: str, lines: pd.DataFrame) -> str:
    """What one exchange does, where the needed cell is there and where not, and its shams."""
    real = lines[(lines["sham"] == "") & (lines["patches"] != "every")]
    line = real[real["needed_cell"] == ALL].iloc[0]
    what = {
        "latent_text": "its latent text made on the picture",
        "latent_vision": "the re-inserted patch of its cell from the picture",
        "latent": "its latent text, and the re-inserted patch of its cell, from the picture",
    }[str(line["part"])]
    text = (
        f"{model}: with {what} in which the mark that hop {hop} reads is another, all else "
        f"{line['context']}, its answer becomes what that mark says in "
        f"{estimate(line, 'strict_flip')} of {line['n']} and another in "
        f"{estimate(line, 'false_flip')}; its own answers change by "
        f"{estimate(line, 'own_lift', 'points')}"
    )
    if line["own_lift_low"] <= 0 <= line["own_lift_high"]:
        text += f" (smallest change that n could tell: {100 * line['own_lift_smallest']:.1f})"
    where = real[real["needed_cell"] != ALL]
    if len(where) and line["patches"]:
        found = [
            f"{estimate(at, 'strict_flip')} where the cell is {at['needed_cell']} (n = {at['n']})"
            for _, at in where.iterrows()
        ]
        text += f". Strict flips are {', '.join(found)}"
    shams = lines[(lines["sham"] != "") & (lines["needed_cell"] == ALL)]
    found = [
        f"{SHAMS[str(sham['sham'])]} {estimate(sham, 'strict_flip')}, "
        f"{estimate(sham, 'strict_flip_above', 'points')} less (n = {sham['n']})"
        for _, sham in shams.iterrows()
    ]
    return f"{text}. Shams of the same size: {'; '.join(found)}."


def _last(lines: pd.DataFrame) -> str:
    """The widest set of steps, which comes last."""
    return str(lines["steps"].iloc[-1])

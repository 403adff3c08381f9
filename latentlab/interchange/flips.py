"""What counterfactual donors did to answers, as a table and in sentences.

An answer that becomes what the edited patch says is a strict flip, one that becomes anything else a
false flip. A sham as large as the change says how many of them any such disturbance makes.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from latentlab.console import estimate, percent, table
from latentlab.interchange.edits import DONOR
from latentlab.interchange.lines import FRACTIONS
from latentlab.measures.summary import ALL
from latentlab.wording import PARTS, data_name, joined, paragraph, sentence

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
    "self": "  sham: its own",
    "needed": "needed patch",
    "every": "every patch",
    "permuted": "  sham: permuted",
    "other_question": "  sham: other's",
    "off_walk": "  sham: off walk",
}


_COLUMNS = {
    "part": "part",
    "steps": "steps",
    "what": "changed",
    "needed_cell": "needed cell",
    "n": "n",
    "strict_flip": "strict flips, %",
    "false_flip": "false flips, %",
    "strict_flip_above": "change from sham, points",
    "change_norm": "size",
    "keeps_own": "own answer, %",
    "own_lift": "change in own answer, points",
    "own_lift_smallest": "would have shown",
}
SPARE = ("change_norm", "own_lift_smallest", "own_lift", "keeps_own", "strict_flip_above", "n")
"""Columns that a narrow screen does without, the first to go first."""


def of_edits(summary: pd.DataFrame) -> pd.DataFrame:
    """The lines of counterfactual donors over all domains."""
    lines = summary[(summary["donor"] == DONOR) & (summary["domain"] == ALL)]
    # On disk an empty text is a missing one.
    return lines.fillna({"sham": "", "patches": "", "context": ""}).astype({"hop": int})


def show_flips(summary: pd.DataFrame) -> None:
    """Put one table a model and hop on the screen; shams and picks of the widest exchange."""
    for (model, hop), of in of_edits(summary).groupby(["model", "hop"], sort=False):
        widest = of["steps"] == of.groupby("part")["steps"].transform("last")
        real, whole = of["sham"] == "", of["needed_cell"] == ALL
        shown = of[(real & (whole | widest)) | (whole & widest & of["sham"].ne("self"))]
        labels = zip(shown["sham"], shown["patches"], strict=True)
        what = [_LABELS[sham or patches] for sham, patches in labels]
        data, context = of[["data", "context"]].iloc[0]
        table(
            shown.assign(what=what, part=shown["part"].map(PARTS)),
            _COLUMNS,
            f"{model} on {data_name(str(data))}: the mark that hop {hop} reads changed in "
            + (f"latents alone, all else {context}" if context else "its words alone"),
            percent=(*FRACTIONS, "strict_flip_above", "own_lift", "own_lift_smallest"),
            changes=("strict_flip_above", "own_lift"),
            spare=SPARE,
            keys=4,
        )


def flip_sentences(summary: pd.DataFrame) -> Iterator[str]:
    """For each model and hop what the widest exchange of each part did, beside its shams."""
    lines = of_edits(summary)
    for (model, hop), of in lines.groupby(["model", "hop"], sort=False):
        parts = list(dict.fromkeys(of["part"]))
        # Of a model with one part both together are the same thing once more.
        parts = [part for part in parts if len(parts) != 2 or part != "latent"]
        known = of[of["sham"] != "self"]
        exchanges = [_widest(known[known["part"] == part]) for part in parts]
        back = of[(of["sham"] == "self") & (of["needed_cell"] == ALL)]
        yield paragraph(str(model), *_sentences(str(hop), exchanges, back))


def _sentences(hop: str, exchanges: list[pd.DataFrame], back: pd.DataFrame) -> Iterator[str]:
    """What exchanges do, where the needed cell is there and where not, and their shams."""
    real = [lines[(lines["sham"] == "") & (lines["patches"] != "every")] for lines in exchanges]
    whole = [lines[lines["needed_cell"] == ALL].iloc[0] for lines in real]
    strict = joined([f"{estimate(line, 'strict_flip')} ({_part(line)})" for line in whole])
    false = joined([percent(float(line["false_flip"])) for line in whole])
    where = []
    with_patches = [lines for lines in real if lines["patches"].iloc[0]]
    for lines in with_patches[:1]:
        where = [
            f"{percent(float(at['strict_flip']))} of {at['n']} where that cell is "
            f"{at['needed_cell']}"
            for _, at in lines[lines["needed_cell"] != ALL].iterrows()
        ]
    context = whole[0]["context"]
    changed = f"its latents alone, all else {context}" if context else "its words alone"
    yield sentence(
        f"with the mark that hop {hop} reads changed in {changed}, its answer becomes what that "
        f"mark says in {strict} of {whole[0]['n']}, and another in {false}",
        f"with {_part(with_patches[0].iloc[0])} it does so in {joined(where)}" if where else "",
    )
    found = []
    for lines in exchanges:
        shams = lines[(lines["sham"] != "") & (lines["needed_cell"] == ALL)]
        if len(shams):
            most = shams.sort_values(["strict_flip", "n"], kind="stable").iloc[-1]
            found.append(
                f"{estimate(most, 'strict_flip')} ({_part(most)}: {SHAMS[str(most['sham'])]})"
            )
    flips, moved = round((back["flip"] * back["n"]).sum()), (back["kl"] != 0).any()
    what = "latents" if context else "words"
    own = f"with its own {what} put back {flips or 'none'} of {back['n'].sum():,} answers flip"
    own += ": the instrument itself disturbs the model" if moved else ""
    yield sentence(f"shams of the same size do so in at most {joined(found)}" if found else "", own)


def _part(line: "Line") -> str:
    names = {"latent_text": "latent text", "latent_vision": "its patch", "latent": "both"}
    return names.get(str(line["part"]), "its words")


def _widest(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines of the widest set of steps, which comes last."""
    return lines[lines["steps"] == str(lines["steps"].iloc[-1])]

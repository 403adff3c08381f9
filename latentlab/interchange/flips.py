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


_FLIPS = {
    "n": "n",
    "strict_flip": "strict flips %",
    "false_flip": "false flips %",
    "strict_flip_above": "above sham, points",
}
_OWN = {
    "change_norm": "size",
    "keeps_own": "own answer %",
    "own_lift": "change, points",
    "own_lift_smallest": "n could tell",
}


def of_edits(summary: pd.DataFrame) -> pd.DataFrame:
    """The lines of counterfactual donors over all domains."""
    lines = summary[(summary["donor"] == DONOR) & (summary["domain"] == ALL)]
    # On disk an empty text is a missing one.
    return lines.fillna({"sham": "", "patches": "", "context": ""}).astype({"hop": int})


def show_flips(summary: pd.DataFrame) -> None:
    """Put two tables a model and hop on the screen; shams and picks of the widest exchange."""
    for (model, hop), of in of_edits(summary).groupby(["model", "hop"], sort=False):
        widest = of["steps"] == of.groupby("part")["steps"].transform("last")
        real, whole = of["sham"] == "", of["needed_cell"] == ALL
        shown = of[(real & (whole | widest)) | (whole & widest & of["sham"].ne("self"))]
        labels = zip(shown["sham"], shown["patches"], strict=True)
        shown = shown.assign(what=[_LABELS[sham or patches] for sham, patches in labels])
        data, context = of[["data", "context"]].iloc[0]
        title = f"{model} on {data}: the mark that hop {hop} reads changed in latents alone, "
        for columns, end in (
            (_FLIPS, f"all else {context}; 95 % intervals"),
            (_OWN, "own answers"),
        ):
            table(
                shown,
                {
                    "part": "part",
                    "steps": "steps",
                    "what": "changed",
                    "needed_cell": "needed cell",
                    **columns,
                },
                f"{title}{end}",
                percent=(*FRACTIONS, "strict_flip_above", "own_lift", "own_lift_smallest"),
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
        yield f"{model}: {' '.join(_sentences(str(hop), exchanges, back))}"


def _sentences(hop: str, exchanges: list[pd.DataFrame], back: pd.DataFrame) -> Iterator[str]:
    """What exchanges do, where the needed cell is there and where not, and their shams."""
    real = [lines[(lines["sham"] == "") & (lines["patches"] != "every")] for lines in exchanges]
    whole = [lines[lines["needed_cell"] == ALL].iloc[0] for lines in real]
    strict = ", ".join(f"{estimate(line, 'strict_flip')} ({_part(line)})" for line in whole)
    false = ", ".join(estimate(line, "false_flip") for line in whole)
    yield (
        f"With the mark that hop {hop} reads changed in its latents alone, all else "
        f"{whole[0]['context']}, its answer becomes what that mark says in {strict} of "
        f"{whole[0]['n']}, and another in {false}."
    )
    with_patches = [lines for lines in real if lines["patches"].iloc[0]]
    for lines in with_patches[:1]:
        where = [
            f"{estimate(at, 'strict_flip')} where that cell is {at['needed_cell']} (n = {at['n']})"
            for _, at in lines[lines["needed_cell"] != ALL].iterrows()
        ]
        if where:
            yield f"With {_part(lines.iloc[0])} it does so in {', '.join(where)}."
    found = []
    for lines in exchanges:
        shams = lines[(lines["sham"] != "") & (lines["needed_cell"] == ALL)]
        if len(shams):
            most = shams.sort_values(["strict_flip", "n"], kind="stable").iloc[-1]
            found.append(
                f"{estimate(most, 'strict_flip')} ({_part(most)}: {SHAMS[str(most['sham'])]}; "
                f"n = {most['n']}), "
                f"{estimate(most, 'strict_flip_above', 'points')} less"
            )
    flips, moved = round((back["flip"] * back["n"]).sum()), (back["kl"] != 0).any()
    own = f"own latents put back, {flips} flips of {back['n'].sum()} answers"
    own += ": the instrument itself disturbs the model" if moved else ""
    if found:
        yield f"Shams of the same size: at most {'; '.join(found)}; {own}."
    else:
        yield f"{own[0].upper()}{own[1:]}."


def _part(line: "Line") -> str:
    return {"latent_text": "latent text", "latent_vision": "its patch", "latent": "both"}[
        str(line["part"])
    ]


def _widest(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines of the widest set of steps, which comes last."""
    return lines[lines["steps"] == str(lines["steps"].iloc[-1])]

"""Lines of a summary, chosen and set side by side as tables and figures need them.

Everything here works on the `summary` of results. A change of accuracy is after minus before, a
knock-out always stands next to its control, and models come in the order of their study.
"""

from collections.abc import Iterable
from typing import get_args

import pandas as pd

from latentlab.measures.outcomes import NONE
from latentlab.measures.summary import ALL, totals
from latentlab.vocabulary import CONTROL, KNOCK_OUT, PositionRule

INFERENCE = "Knock-outs at inference on fixed weights; nothing was retrained."
"""What captions say where no weights were changed."""

INTERVALS = "Intervals are 95 %: Wilson for accuracies, paired over questions for changes."
"""What captions say of intervals."""

REMOVALS = (
    "What is removed is gone in three ways: with later positions held, which leaves a hole; with "
    "positions closed up, so that what follows moves; and with the slots kept and the placeholder "
    "token in them. Only what all three agree on is about content."
)
"""What captions say of removals."""

CHANGE = "change in accuracy (points)"
"""What axes of changes are called: after minus before, so that less is worse."""

STRICT = "An answer that names no option is wrong, so accuracy can fall below guessing."
"""What captions say of strict accuracy where it gets low."""

METHODS = {
    "no_cot": "answers at once",
    "cot": "writes its steps in words",
    "cot_vision": "writes its steps and re-inserts patches",
    "coconut": "feeds hidden states back",
    "ivtlr": "feeds hidden states back and re-inserts the most attended patches",
    "relay": "must pass everything through its latent text",
    "gaze": "sees the image only through re-inserted patches",
    "redundant": "sees the image, and its patches a second time",
    "bypass": "answers without sight of its latents",
    "decoy": "learnt to answer behind the latents of other questions",
    "filler": "has the placeholder token for latents",
}
"""How each embedded model comes to its answer."""

REPLACEMENTS = {
    "drop": "left out",
    "zero": "zeros",
    "mean": "mean of the slot",
    "constant": "one vector for all",
    "unit_noise": "unit noise",
    "norm_matched": "random, norm kept",
    "matched_noise": "matched noise",
    "placeholder": "placeholder token",
    "other_any": "a question's, any domain",
    "other": "another question's",
    "off_walk": "patches off the walk",
    "permute": "steps permuted",
    "reverse": "steps reversed",
    "first": "first step repeated",
}
"""What can be put in the place of latents or words, as figures name it, from the crudest to the
subtlest."""


def names(values: Iterable[str]) -> list[str]:
    """Distinct values in the order in which they first appear."""
    return list(dict.fromkeys(values))


def with_arms(lines: pd.DataFrame) -> pd.DataFrame:
    """Lines with the column `arm`: what is removed, under one name whatever becomes of positions.

    Other lines keep their names, and have empty `positions`.
    """
    positions = lines["positions"].fillna("")
    named = lines["control_of"].fillna("")
    arm = named.where((positions != "") & (named != ""), lines["intervention"])
    return lines.assign(arm=arm, positions=positions)


def beside_controls(lines: pd.DataFrame) -> pd.DataFrame:
    """Every knock-out with the change of its matched control, and under other positions, beside it.

    Args:
        lines: lines of a summary, with the columns `delta`, `delta_low` and `delta_high`.

    Returns:
        A line for each thing that is done, with the columns `control_delta`, `held_delta`,
        `closed_delta` and `kept_delta`, each with `_low` and `_high`: of the control, and of
        removals by what becomes of positions. They are missing where there is no such arm.
    """
    lines = with_arms(lines)
    group = ["model", "data", "domain", "topic", "hops", "question_type"]
    group = [name for name in group if name in lines]
    change = ["delta", "delta_low", "delta_high"]
    rules: tuple[PositionRule, ...] = get_args(PositionRule)
    controls = (
        (lines["kind"] == CONTROL)
        & (lines["positions"] == "")
        & (lines["control_of"].fillna("") != "")
    )
    beside = {"control": lines[controls].assign(arm=lines["control_of"])}
    beside |= {rule: lines[lines["positions"] == rule] for rule in rules}
    arms = lines[(lines["kind"] == KNOCK_OUT) & (lines["arm"] == lines["intervention"])]
    for name, others in beside.items():
        named = others[[*group, "arm", *change]].rename(
            columns={column: f"{name}_{column}" for column in change}
        )
        arms = arms.merge(named, on=[*group, "arm"], how="left")
    return arms


def overall(summary: pd.DataFrame) -> pd.DataFrame:
    """The lines over all questions."""
    return totals(summary)


def untouched(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines of models left alone."""
    return lines[lines["intervention"] == NONE]


def divided(summary: pd.DataFrame, column: str) -> pd.DataFrame:
    """The lines that divide all questions by one column and by nothing else.

    Data without domains, topics or hops have one group without a name, which is left out.
    """
    groups = ["domain", "topic", "hops", "question_type"]
    rest = [name for name in groups if name in summary and name != column]
    if column not in summary:
        return summary.iloc[:0]
    named = summary[column].notna() & (summary[column] != ALL)
    return summary[named & (summary[rest] == ALL).all(axis=1)]


def number_of_hops(hops: str) -> str:
    """A number of hops in words."""
    return f"{hops} hop" if hops == "1" else f"{hops} hops"


def sample(lines: pd.DataFrame) -> str:
    """Who was asked what: models, data and number of questions, for captions.

    Args:
        lines: lines over all questions.
    """
    parts = []
    for (data, n), of in lines.groupby(["data", "n"], sort=False):
        models = names(of["model"])
        each = " each" if len(models) > 1 else ""
        parts.append(f"{', '.join(models)} on {n} questions{each} of {data}")
    return "; ".join(parts)

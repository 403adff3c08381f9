"""Which single answers an ablation found to need their latents, as a table and in sentences."""

from typing import Any

import pandas as pd

from latentlab.ablate.necessity import HARMFUL, LABELS, NEEDED, TRAINED, count_necessity
from latentlab.console import table
from latentlab.measures.summary import ALL
from latentlab.wording import part_name

_HEADINGS = {
    NEEDED: "right only with, %",
    HARMFUL: "right only without, %",
    "right either way": "right either way, %",
    "wrong either way": "wrong either way, %",
}
"""Headings of the labels."""


def show_necessity(labels: pd.DataFrame) -> None:
    """Put one table a model on the screen that tells how many answers hang on the latents.

    Args:
        labels: what `ablate.necessity.necessity` returns; nothing is shown where it is empty.
    """
    if labels.empty:
        return
    counts = count_necessity(labels)
    for (model, part), lines in counts.groupby(["model", "part"], sort=False):
        order = list(dict.fromkeys(lines["domain"]))
        shown = lines.drop_duplicates("domain")[["domain", "n"]].set_index("domain", drop=False)
        for label in LABELS:
            of_label = lines[lines["necessity"] == label].set_index("domain")
            for end in ("", "_low", "_high"):
                shown[f"{label}{end}"] = of_label[f"share{end}"]
        table(
            shown.loc[order],
            {"domain": "questions", "n": "n", **_HEADINGS},
            f"{model}: right with its {_what(str(part))}, or with {_emptied(str(part))}; "
            f"{_knew(str(part), lines[TRAINED].iloc[0])}",
            percent=LABELS,
            spare=("wrong either way", "right either way"),
            keys=2,
            source="rows.parquet (necessity)",
        )


def necessity_clauses(labels: pd.DataFrame) -> dict[str, str]:
    """How many answers of each model hang on its latents, in a clause each."""
    if labels.empty:
        return {}
    counts = count_necessity(labels)
    totals = counts[counts["domain"] == ALL]
    told: dict[str, str] = {}
    for (model, part), line in totals.groupby(["model", "part"], sort=False):
        of = dict(zip(line["necessity"], line["count"], strict=True))
        trained = line[TRAINED].iloc[0]
        known = trained is not pd.NA and bool(trained)
        told[str(model)] = (
            f"{of[NEEDED]:,} of {line['n'].iloc[0]:,} answers are right only with its "
            f"{_what(str(part))}, {of[HARMFUL]:,} only with {_emptied(str(part))}; "
            f"{_knew(str(part), trained)}{'' if known else ', so this is no proof of need'}"
        )
    return told


def _emptied(part: str) -> str:
    """What stands there instead."""
    return "an empty token for each word" if part == "rationale" else "the same slots empty"


def _knew(part: str, trained: Any) -> str:
    """What the slots were emptied with, and whether the model knew it."""
    token = "that token" if part == "rationale" else "the placeholder token"
    if trained is pd.NA:
        return f"nothing tells whether its training put {token} there"
    return (
        f"its training put {token} there too"
        if trained
        else f"its training never put {token} there"
    )


def _what(part: str) -> str:
    """A part, and the step that it is of."""
    name, _, step = part.partition(" at ")
    return part_name(name) + (f" at {step}" if step else "")

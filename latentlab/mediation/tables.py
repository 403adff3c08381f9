"""The tables of a mediation study: what latents carry of an effect, and how far they move."""

from typing import TYPE_CHECKING

import pandas as pd

from latentlab.console import table
from latentlab.measures.summary import ALL
from latentlab.mediation.movement import ORDINARY
from latentlab.mediation.summary import EFFECT, MOVEMENT, single_hops
from latentlab.wording import PARTS, data_name, perturbation_name

if TYPE_CHECKING:
    Line = pd.Series[float]

_HEADINGS = {
    "perturbation": "changed",
    "steps": "steps",
    "mediator": "through",
    "n": "n",
    "te": "change in log-odds, nats",
    "nie_share": "share through it (NIE), %",
    "tie_share": "averted by keeping it (TE − NDE), %",
    "reading": "reading",
}
SPARE = ("n", "reading", "te")
"""Columns that a narrow screen does without, the first to go first: shares are what is asked."""

_ENDS = ("", "_low", "_high")


def show_tables(summary: pd.DataFrame) -> None:
    """Put two tables a model on the screen: shares of effects, and how far latents move."""
    lines = summary[summary["domain"] == ALL]
    for model, of_model in lines.groupby("model", sort=False):
        data = data_name(str(of_model["data"].iloc[0]))
        shares = share_table(of_model)
        # Where all steps are acted on nothing is told by saying so.
        columns = {k: v for k, v in _HEADINGS.items() if k != "steps" or set(shares[k]) != {ALL}}
        table(
            shares.assign(perturbation=shares["perturbation"].map(_changed)),
            columns,
            f"{model}: what its {_carrier(of_model)} carry of what changes its answers to {data}",
            percent=("nie_share", "tie_share"),
            changes=("te",),
            spare=SPARE,
            keys=3 if "steps" in columns else 2,
        )
        moved, names = movement_table(of_model)
        if moved.empty:  # words do not move by a distance
            continue
        table(
            moved.assign(perturbation=moved["perturbation"].map(_changed)),
            {**dict(zip(names, names, strict=True)), "perturbation": "changed"},
            f"{model}: how far its latents move, in SD over questions",
            percent=(),
        )


def _carrier(lines: pd.DataFrame) -> str:
    """What mediates, in one word."""
    return "words" if "transcript" in set(lines["mediator"]) else "latents"


def _changed(label: str) -> str:
    """A perturbation and its hop in words."""
    name, _, hop = label.partition(" hop ")
    return perturbation_name(name) + (f", hop {hop}" if hop else "")


def share_table(lines: pd.DataFrame) -> pd.DataFrame:
    """One row per perturbation, hop, steps and mediator, with both shares side by side.

    Args:
        lines: lines of the summary of one model over all domains.

    Returns:
        The table. An effect without shares has one row, since no mediator differs from another.
    """
    effects = single_hops(lines[(lines["measure"] == EFFECT) & (lines["outcome"] == "log_odds")])
    rows = []
    for _, group in effects.groupby(["label", "steps"], sort=False):
        shown = told(group)
        named = shown.assign(
            perturbation=shown["label"], mediator=[mediator(line) for _, line in shown.iterrows()]
        )
        shared = named["nie_share"].notna().any()
        rows.append(named if shared else named.head(1).assign(mediator=""))
    made = pd.concat(rows, ignore_index=True)
    return made.assign(reading=made["reading"].astype(object).fillna(""))[
        [f"{name}{end}" for name in _HEADINGS for end in _ENDS if f"{name}{end}" in made]
    ]


def movement_table(lines: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """One row per perturbation and hop, with an ordinary token and each latent text in columns.

    Args:
        lines: lines of the summary of one model over all domains.

    Returns:
        The table, and its columns without the ends of the intervals.
    """
    moved = lines[(lines["measure"] == MOVEMENT) & lines["part"].isin((ORDINARY, "latent_text"))]
    rows, names = [], []
    for label, group in single_hops(moved).groupby("label", sort=False):
        row: dict[str, object] = {"perturbation": label}
        names = [_moving(line) for _, line in group.iterrows()]
        for name, (_, line) in zip(names, group.iterrows(), strict=True):
            row |= {f"{name}{end}": line[f"sd{end}"] for end in _ENDS}
        rows.append(row)
    return pd.DataFrame(rows), ["perturbation", *names]


def told(lines: pd.DataFrame) -> pd.DataFrame:
    """The mediators worth naming: each part once, and the slots as a whole."""
    parts = set(lines["part"])
    alone = parts - {"latent"}
    # Of a model with one part both together say nothing new.
    named = alone if len(alone) == 1 else parts
    whole = alone if len(alone) == 1 else {"latent"} & parts or parts
    slots = lines["mediator"] == "slots"
    return lines[(~slots & lines["part"].isin(named)) | (slots & lines["part"].isin(whole))]


def mediator(line: "Line") -> str:
    """What was held or taken over, in words."""
    name = PARTS[str(line["part"])]
    return f"{name} with slots" if str(line["mediator"]) == "slots" else name


def _moving(line: "Line") -> str:
    """What moves."""
    part = str(line["part"])
    return "ordinary token" if part == ORDINARY else f"{PARTS[part]} {line['steps']}"

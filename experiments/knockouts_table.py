"""Points lost under every knock-out at inference, by positions and next to its matched control.

Studies: `knockouts` and `knockouts-one-hop` (`latentlab.ablate`): parts of the latents left out
(`drop`), exchanged for another question's (`other`) or for the placeholder token. Strict accuracy,
paired by question; p-values are McNemar's, corrected over all arms of a model (Holm). The paper has
no such table: what it calls ablation is `retrained_arms`.
"""

import pandas as pd

from latentlab.figures import studies
from latentlab.figures.artifacts import Table
from latentlab.figures.cells import printed
from latentlab.figures.experiment import Found
from latentlab.figures.lines import (
    INFERENCE,
    REMOVALS,
    REPLACEMENTS,
    beside_controls,
    overall,
    sample,
    untouched,
)
from latentlab.vocabulary import PARTS

STUDIES = (studies.KNOCKOUTS, studies.KNOCKOUTS_ONE_HOP)

COLUMNS = {
    "asked": "model",
    "left_alone": "left alone %",
    "arm": "knock-out",
    "lost": "points lost",
    "closed_lost": "points lost, closed up",
    "kept_lost": "points lost, slots empty",
    "control_lost": "points lost, control",
    "p_holm": "p (Holm)",
    "flip": "answers flipped %",
    "log_odds_change": "log-odds of the right option (nats)",
}


def make(found: Found) -> Table:
    """The table: a line for each knock-out."""
    lines = pd.concat([overall(found[study.name].summary) for study in STUDIES], ignore_index=True)
    alone = untouched(lines).set_index(["model", "data"])["accuracy"]
    data = beside_controls(lines)
    data["left_alone"] = [alone[pair] for pair in zip(data["model"], data["data"], strict=True)]
    data["asked"] = [
        f"{model} (one hop)" if source == studies.ONE_HOP else model
        for model, source in zip(data["model"], data["data"], strict=True)
    ]
    data["arm"] = [
        f"{PARTS.get(part, part)}: {REPLACEMENTS.get(source or action, source or action)}"
        for part, source, action in zip(data["part"], data["source"], data["action"], strict=True)
    ]
    keep = ["model", "data", "n", "intervention", "positions"]
    measures = [name for name in COLUMNS if name not in ("asked", "arm")]
    ends = [f"{name}{end}" for name in measures for end in ("", "_low", "_high")]
    percent = ("left_alone", "lost", "closed_lost", "kept_lost", "control_lost", "flip")
    caption = (
        f"Accuracy lost under knock-outs, in points: {sample(untouched(lines))}. {INFERENCE} "
        "Losses are paired by question, with 95 % bootstrap intervals, as are flips and log-odds. "
        f"{REMOVALS} The first column of points holds positions; flips, log-odds and p-values are "
        "of that arm. The control of a replacement does the same to as many positions of the "
        "prompt that the question does not need, and where that costs as much, such vectors hurt "
        "anywhere. p-values are exact (McNemar), corrected over all arms and controls of a model. "
        "A negative loss is a gain. "
        "The published ablation (IVT-LR, Table 2) compares retrained systems and is no counterpart."
    )
    numbers = data[[*keep, *(name for name in ends if name in data)]]
    odds = [name for name in ends if name.startswith("log_odds")]
    # Two decimals are enough to read; adding 0 turns -0.0 into 0.
    return Table(
        printed(data.assign(**data[odds].round(2) + 0.0), COLUMNS, percent), numbers, caption
    )

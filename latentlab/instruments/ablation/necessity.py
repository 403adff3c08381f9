"""Which single answers an ablation found to need their latents, as a table and in sentences."""

import pandas as pd

from latentlab.console import interval_text, show, table
from latentlab.measures.necessity import HARMFUL, LABELS, NEEDED, count_necessity
from latentlab.measures.summary import ALL

_LINE = ["model", "part", "domain", "n"]


def show_necessity(labels: pd.DataFrame) -> None:
    """Tell how many answers hang on the latents: a table, and a sentence for each model.

    Args:
        labels: what `measures.necessity.necessity` returns; nothing is shown where it is empty.
    """
    if labels.empty:
        return
    counts = count_necessity(labels)
    shares = list(counts[["share", "share_low", "share_high"]].itertuples(index=False))
    pairs = list(zip(counts["count"], shares, strict=True))
    counts["shown"] = [f"{count} = {interval_text(*share)}" for count, share in pairs]
    counts["told"] = [
        f"{count} ({interval_text(*share).replace(' ', ' % ', 1)})" for count, share in pairs
    ]
    order = counts[_LINE].drop_duplicates().itertuples(index=False, name=None)
    lines = counts.pivot(index=_LINE, columns="necessity", values="shown").loc[list(order)]
    headings = {"model": "model", "part": "emptied", "domain": "questions", "n": "n"}
    table(
        lines.reset_index(),
        headings | {label: label for label in LABELS},
        "Right with what the slots hold, and with the same slots empty: answers = % [95 %]",
    )
    totals = counts[counts["domain"] == ALL]
    for (model, part), line in totals.groupby(["model", "part"], sort=False):
        told = dict(zip(line["necessity"], line["told"], strict=True))
        what = "latents" if part == "latent" else str(part).replace("_", " ")
        emptied = "an empty token for each word" if part == "rationale" else "these slots empty"
        show(
            f"{model} is right with its {what}, and wrong with {emptied}, in {told[NEEDED]} of "
            f"{line['n'].iloc[0]} questions; the other way round in {told[HARMFUL]}."
        )

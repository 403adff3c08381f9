"""Which single answers an ablation found to need their latents, as a table and in sentences."""

import pandas as pd

from latentlab import console
from latentlab.ablate.necessity import HARMFUL, LABELS, NEEDED, count_necessity
from latentlab.ablate.phrases import part_name
from latentlab.ablate.tables import WIDE
from latentlab.console import interval_text, table
from latentlab.measures.summary import ALL


def show_necessity(labels: pd.DataFrame) -> None:
    """Put one table a model on the screen that tells how many answers hang on the latents.

    Args:
        labels: what `ablate.necessity.necessity` returns; nothing is shown where it is empty.
    """
    if labels.empty:
        return
    counts = count_necessity(labels)
    shares = list(counts[["share", "share_low", "share_high"]].itertuples(index=False))
    pairs = list(zip(counts["count"], shares, strict=True))
    counts["shown"] = [f"{count} = {interval_text(*share)}" for count, share in pairs]
    wide = console.results.width >= WIDE
    for (model, part), lines in counts.groupby(["model", "part"], sort=False):
        order = list(dict.fromkeys(lines["domain"]))
        shown = lines.pivot(index=["domain", "n"], columns="necessity", values="shown")
        shown = shown.reset_index().set_index("domain", drop=False).loc[order]
        for labels_of in [LABELS] if wide else [LABELS[:2], LABELS[2:]]:
            table(
                shown,
                {"domain": "questions", "n": "n"} | {label: label for label in labels_of},
                f"{model}: right with its {part}, and with these slots empty: answers = % [95 %]",
            )


def necessity_sentences(labels: pd.DataFrame) -> list[str]:
    """How many answers of each model hang on its latents, in one sentence each."""
    if labels.empty:
        return []
    counts = count_necessity(labels)
    told = []
    totals = counts[counts["domain"] == ALL]
    for (model, part), line in totals.groupby(["model", "part"], sort=False):
        shares = list(line[["share", "share_low", "share_high"]].itertuples(index=False))
        of = {
            label: f"{count} ({interval_text(*share).replace(' ', ' % ', 1)})"
            for label, count, share in zip(line["necessity"], line["count"], shares, strict=True)
        }
        name, _, step = str(part).partition(" at ")
        what = part_name(name) + (f" at {step}" if step else "")
        emptied = "an empty token for each word" if part == "rationale" else "these slots empty"
        told.append(
            f"{model} is right with its {what}, and wrong with {emptied}, in {of[NEEDED]} of "
            f"{line['n'].iloc[0]} questions; the other way round in {of[HARMFUL]}."
        )
    return told

"""Which answers need their latents: right with them, wrong when their slots are emptied.

Studies: `knockouts` and `knockouts-one-hop` (`latentlab.ablate`), the arm that puts the placeholder
token into all slots. Each question is right with the content, without it, either way or neither
way, and an accuracy that stays may hide as many lost as gained. The four cells are those of the
latent-necessity reward of arXiv 2605.18641, which publishes no such counts.
"""

import pandas as pd

from latentlab.ablate.necessity import (
    HARMFUL,
    NEEDED,
    RIGHT,
    WRONG,
    count_necessity,
    necessity,
)
from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing, caption
from latentlab.figures.bars import Segment, draw_bars
from latentlab.figures.experiment import Found
from latentlab.figures.lines import INFERENCE, names
from latentlab.figures.sentences import listed, told
from latentlab.figures.style import ARM_COLOURS, GRID, PAPER, canvas
from latentlab.measures.summary import ALL

PART = "main"
STUDIES = (studies.KNOCKOUTS, studies.KNOCKOUTS_ONE_HOP)

SEGMENTS = {
    NEEDED: Segment(ARM_COLOURS[0]),
    RIGHT: Segment(GRID),
    HARMFUL: Segment(ARM_COLOURS[1]),
    WRONG: Segment(PAPER),
}
"""Looks of the cells, from left to right."""


def make(found: Found) -> Drawing:
    """The figure: a bar for each model, cut by the four cells."""
    counts = []
    for study in STUDIES:
        labels = necessity(found[study.name].rows)
        if len(labels):
            of_study = count_necessity(labels)
            hint = " (one hop)" if study is studies.KNOCKOUTS_ONE_HOP else ""
            counts.append(
                of_study.assign(data=labels["data"].iloc[0], series=of_study["model"] + hint)
            )
    data = pd.concat(counts, ignore_index=True)
    whole = data[data["domain"] == ALL]
    rows = {name: name for name in names(whole["series"])}
    shares = whole.assign(row=whole["series"], segment=whole["necessity"])
    figure, (axis,) = canvas("single", 0.95 + 0.2 * len(rows))
    draw_bars(axis, shares, rows, SEGMENTS, whiskers=(NEEDED,))
    axis.set_xlabel("questions (%)")
    figure.legend(loc="outside upper center", ncols=2)
    n = names(str(n) for n in whole["n"])
    text = (
        "Right with what the latent slots hold and wrong with the placeholder token in them "
        "(needed), the reverse (harmful), or the same both ways. Whisker: 95 % Wilson interval of "
        f"needed; n = {' or '.join(n)} questions a model. {INFERENCE} By domain in the CSV file."
    )
    return Drawing(figure, data, caption(_finding(whole), text))


def _finding(whole: pd.DataFrame) -> str:
    """How often each model needs what its slots hold, and how often that harms at most."""
    needed = whole[whole["necessity"] == NEEDED]
    most, least = (needed.loc[getattr(needed["share"], which)()] for which in ("idxmax", "idxmin"))
    harm = whole[whole["necessity"] == HARMFUL]["share"].max()
    often = needed[needed["share_low"] > 0.5]
    rest = needed[needed["share_low"] <= 0.5]
    if often.empty or rest.empty:
        ends = f"{told(least, 'share')} ({least['series']}) to {told(most, 'share')}"
        return f"Content of the slots is needed in {ends} ({most['series']}) of questions."
    return (
        f"Most answers of {listed(list(often['model']))} need what their slots hold "
        f"({100 * often['share'].min():.0f} to {100 * often['share'].max():.0f} %), at most "
        f"{100 * rest['share'].max():.0f} % of those of {listed(list(rest['model']))}; it harms at "
        f"most {100 * harm:.0f} %."
    )

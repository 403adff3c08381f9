"""Which answers are right with their latents, and wrong when their slots are emptied.

Studies: `knockouts` and `knockouts-one-hop` (`latentlab.ablate`), the arm that puts the placeholder
token into all slots. Each question is right with the content, without it, either way or neither
way, and an accuracy that stays may hide as many lost as gained. The four cells are those of the
latent-necessity reward of arXiv 2605.18641, which publishes no such counts. Need is claimed only of
models whose training put that token into slots too.
"""

import pandas as pd

from latentlab.ablate.necessity import (
    HARMFUL,
    NEEDED,
    RIGHT,
    TRAINED,
    WRONG,
    count_necessity,
    necessity,
)
from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing, caption
from latentlab.figures.bars import Segment, draw_bars
from latentlab.figures.experiment import Found
from latentlab.figures.lines import INFERENCE, names
from latentlab.figures.sentences import told
from latentlab.figures.style import ARM_COLOURS, GRID, PAPER, canvas
from latentlab.measures.summary import ALL
from latentlab.wording import joined

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
        "(needed), the reverse (harmful), or neither. Whisker: 95 % Wilson interval of needed; "
        f"n = {' or '.join(n)} questions a model. {_knew(whole)} {INFERENCE}"
    )
    return Drawing(figure, data, caption(_finding(whole), text))


def _knew(whole: pd.DataFrame) -> str:
    """Which models know the token that the slots are emptied with."""
    met = names(whole.loc[whole[TRAINED].fillna(False), "model"])
    if not met:
        return "No model is known to have met that token in its slots in training."
    return f"Of these models {joined(met)} met that token in training, so far as is known."


def _finding(whole: pd.DataFrame) -> str:
    """How many answers of each model emptying its slots turns wrong, and how many right."""
    needed = whole[whole["necessity"] == NEEDED]
    most, least = (needed.loc[getattr(needed["share"], which)()] for which in ("idxmax", "idxmin"))
    harm = whole[whole["necessity"] == HARMFUL]["share"].max()
    righted = f"{100 * harm:.0f} %" if harm < 0.005 else f"at most {100 * harm:.0f} %"
    often = needed[needed["share_low"] > 0.5]
    rest = needed[needed["share_low"] <= 0.5]
    doubt = (
        ""
        if needed[TRAINED].fillna(False).all()
        else "; where training never emptied slots, that is no proof of need"
    )
    if often.empty or rest.empty:
        ends = f"{told(least, 'share')} ({least['series']}) to {told(most, 'share')}"
        return (
            f"Emptied slots turn {ends} ({most['series']}) of answers wrong, and {righted} right"
            f"{doubt}."
        )
    return (
        f"Emptied slots turn {100 * often['share'].min():.0f} to "
        f"{100 * often['share'].max():.0f} % of the answers of "
        f"{joined(list(often['model']))} wrong, at most "
        f"{100 * rest['share'].max():.0f} % of those of {joined(list(rest['model']))}, and "
        f"{righted} right{doubt}."
    )

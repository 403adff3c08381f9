"""How much of each method's answers runs through what it writes or feeds back.

Studies: `carried` (`latentlab.interchange`) and `carried-lost` (`latentlab.ablate`). Words and
latents are treated alike. What a model wrote, or fed back, about the same picture from another
start is put in; then it is left out, or another question's is put in. Calls, crops and later
prompts follow from the words that are put in. Of three rules of positions the least loss is drawn.
No paper sets what methods write beside latents.
"""

import pandas as pd

from latentlab.figures import ways
from latentlab.figures.artifacts import Drawing, caption
from latentlab.figures.bars import Segment, draw_bars
from latentlab.figures.dots import HOLLOW, draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import of_sham
from latentlab.figures.lines import CHANGE, names, overall
from latentlab.figures.style import ARM_COLOURS, GRID, MUTED, PAPER, canvas, look
from latentlab.measures.outcomes import NONE
from latentlab.measures.statistics import accuracy_interval
from latentlab.wording import joined

PART = "main"
STUDIES = (ways.CARRIED, ways.CARRIED_LOST)

WHAT = {
    "no_cot": "nothing",
    "cot": "steps",
    "ccot": "scene graph",
    "multimodal_cot": "rationale, then a call",
    "cot_vision": "ICoT: steps, patches",
    "scaffold": "steps with coordinates",
    "chain_of_focus": "looks, crops",
    "capimagine": "imagined cells",
    "coconut": "latent text",
    "ivtlr": "latent text, patches",
}
"""What each model writes or feeds back before its answer."""

WHOSE = {
    "keeps_own": Segment(GRID, "its own"),
    "follows_donor": Segment(ARM_COLOURS[0], "the donor's"),
    "neither": Segment(PAPER, "another"),
}
"""Looks of the answers, from left to right."""

LOST = {"drop": "left out", "other": "another question's"}
"""What else is done."""


def make(found: Found) -> Drawing:
    """The figure: a row for each method; whose answer is given, and what is lost."""
    swapped = found[ways.CARRIED.name].rows
    swapped = swapped[swapped["intervention"] != NONE]
    shares = _shares(swapped[swapped["donor"] == "same_image"])
    lost = _lost(overall(found[ways.CARRIED_LOST.name].summary))
    models = [name for name in WHAT if name in set(lost["row"])]
    models += [name for name in names(lost["row"]) if name not in WHAT]
    alone = lost[lost["series"] == "left alone"].set_index("row")["accuracy"]
    rows = {
        name: f"{name} ({100 * alone[name]:.0f} %)\n{WHAT.get(name, '')}".strip() for name in models
    }
    figure, (left, right) = canvas("double", 0.95 + 0.3 * len(rows), 1, 2)
    draw_bars(left, shares, rows, WHOSE, ("keeps_own",))
    left.set_xlabel("answers on those of another start (%)")
    for place, name in enumerate(rows):
        if name not in set(shares["row"]):
            left.text(2, place, "nothing to exchange", color=MUTED, va="center", fontsize=7)
    marks = {label: look(i + 1) | {"linestyle": "none"} for i, label in enumerate(LOST.values())}
    sham = {"own put back (sham)": look(3) | {"linestyle": "none"} | HOLLOW}
    draw_dots(right, lost, rows, marks | sham, "delta")
    right.set_yticklabels([])
    right.set(xlabel=CHANGE, ylim=left.get_ylim(), xlim=(-104, 8))
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=3, columnspacing=1.0)
    for label, style in (marks | sham).items():
        right.plot([], [], **style, label=label)
    handles, labels = right.get_legend_handles_labels()
    named = {label: handle for handle, label in zip(handles, labels, strict=True) if label}
    figure.legend(
        list(named.values()), list(named), loc="outside upper right", ncols=3, columnspacing=1.0
    )
    own = swapped.loc[swapped["donor"] == "self", ["flip", "kl"]]
    asked = names(str(n) for n in (lost["n"].min(), lost["n"].max()))
    text = (
        "Left: words or latents of the same picture, asked from another start, are put in. Right: "
        "they are left out or another question's. In brackets: right left alone. "
        f"n = {'–'.join(asked)} questions a row; 95 % "
        "intervals (Wilson, paired). Weights are fixed; picture and question stay. A "
        f"question's own change {of_sham(own)}."
    )
    data = pd.concat([shares.assign(panel="exchanged"), lost.assign(panel="lost")])
    return Drawing(figure, data.reset_index(drop=True), caption(_finding(shares), text))


def _shares(rows: pd.DataFrame) -> pd.DataFrame:
    """A line for each model and whose answer it gives."""
    lines = []
    for model, of_model in rows.groupby("model", sort=False):
        for name in WHOSE:
            share = accuracy_interval(of_model[name].fillna(False).to_numpy(bool))
            ends = {"share": share.mean, "share_low": share.low, "share_high": share.high}
            lines.append({"row": model, "segment": name, "n": len(of_model), **ends})
    return pd.DataFrame(lines)


def _lost(lines: pd.DataFrame) -> pd.DataFrame:
    """A line for each model and what is done to all that it writes or feeds back.

    Models of which nothing is there to be left out have the line of the untouched run.
    """
    kept = ["intervention", "n", "accuracy", "delta", "delta_low", "delta_high"]
    found = []
    for model, of_model in lines.groupby("model", sort=False):
        part = "rationale" if "rationale" in set(of_model["part"]) else "latent"
        whole = of_model[of_model["part"] == part]
        dropped = whole[whole["action"] == "drop"].nlargest(1, "delta")
        other = whole[(whole["source"] == "other") & (whole["control"].fillna("") == "")]
        alone = of_model[of_model["intervention"] == NONE]
        for series, chosen in (
            (LOST["drop"], dropped),
            (LOST["other"], other),
            ("own put back (sham)", whole[whole["action"] == "sham"]),
            ("left alone", alone),
        ):
            found.append(chosen[kept].assign(row=model, series=series))
    return pd.concat(found, ignore_index=True)


def _finding(shares: pd.DataFrame) -> str:
    """How often each model gives the donor's answer."""
    given = shares[shares["segment"] == "follows_donor"].sort_values("share", ascending=False)
    each = [
        f"{100 * share:.0f} % ({name})"
        for name, share in zip(given["row"], given["share"], strict=True)
    ]
    return (
        "With what was written or fed back about another start, answers become that start's: "
        f"{joined(each)}."
    )

"""Whose answer a model gives on another question's latents.

Study: `interchange` (`latentlab.interchange`; Geiger et al. 2021, arXiv 2106.02997): a question is
asked again with the latents of a donor. The treatment is a donor on the same picture with another
start; unrelated donors, donors with the same answer and the question itself (sham) are controls.
Drawn are the first two on all steps; single steps and the other controls are in the CSV file.
ReaLVR's exchange lifts the donor's answer by 5.8 points (LVR) and 46.8 points (ReaLVR).
"""

from collections.abc import Iterator

import pandas as pd

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing, caption
from latentlab.figures.bars import Segment, draw_bars
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import WEIGHTS, of_sham, without_repeats
from latentlab.figures.lines import names
from latentlab.figures.style import ARM_COLOURS, GRID, PAPER, canvas
from latentlab.measures.outcomes import NONE
from latentlab.measures.statistics import accuracy_interval
from latentlab.vocabulary import PARTS
from latentlab.wording import joined

PART = "main"
STUDIES = (studies.INTERCHANGES,)

WHOSE = {
    "keeps_own": Segment(GRID, "its own"),
    "gives_donors": Segment(ARM_COLOURS[0], "the donor's"),
    "gives_expected": Segment(ARM_COLOURS[4], "where its picture leads from there", "////"),
    "gives_other": Segment(PAPER, "another"),
}
"""Looks of the answers, from left to right."""

DONORS = {"same_image": "same picture", "unrelated": "unrelated question"}
"""Donors that are drawn: the treatment and its main control."""

KEY = ["model", "part", "donor", "steps", "step_set"]

GAP = 0.6  # between parts, in bars


def make(found: Found) -> Drawing:
    """The figure: a column for each model, a bar for each part and donor."""
    results = found[studies.INTERCHANGES.name]
    data = pd.DataFrame(_shares(without_repeats(results.rows)))
    treatment = data["donor"].iloc[0]
    shown = data[data["donor"].isin([treatment, *DONORS]) & _widest(data)]
    shown = shown.assign(row=shown["part"] + " " + shown["donor"])
    rows, places = _rows(shown)
    models = names(data["model"])
    figure, axes = canvas("double", 0.75 + 0.25 * len(rows), 1, len(models), sharey=True)
    for axis, model in zip(axes, models, strict=True):
        of_model = shown[shown["model"] == model]
        shares = pd.concat(
            of_model.assign(
                segment=name,
                **{f"share{end}": of_model[f"{name}{end}"] for end in ("", "_low", "_high")},
            )
            for name in WHOSE
        )
        draw_bars(axis, shares, rows, WHOSE, ("keeps_own",), places)
        axis.set(title=model, xlabel="answers (%)", xticks=(0, 50, 100))
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4, columnspacing=1.2)
    treated = shown[shown["donor"] == treatment]
    swapped = results.rows["intervention"] != NONE
    sham = results.rows.loc[swapped & (results.rows["donor"] == "self"), ["flip", "kl"]]
    asked = "–".join(names(str(n) for n in (treated["n"].min(), treated["n"].max())))
    text = (
        f"Prompt, picture and options stay; latents of all steps come from a donor. n = {asked} "
        f"pairs of questions of {results.run['config']['data']} a bar; whiskers: 95 % Wilson "
        f"interval of the own answer. {WEIGHTS} A question's own latents change "
        f"{of_sham(sham)}. Single steps and donors with the same answer are in the CSV file."
    )
    return Drawing(figure, data, caption(_finding(treated, treatment), text))


def _finding(treated: pd.DataFrame, treatment: str) -> str:
    """How often each model gives the donor's answer, by part."""
    told = []
    for part in (part for part in PARTS if part in set(treated["part"])):
        of_part = treated[treated["part"] == part]
        shares = zip(of_part["model"], of_part["gives_donors"], strict=True)
        each = joined([f"{100 * share:.0f} % of {model}'s" for model, share in shares])
        told.append(f"{PARTS[part]}, {each}")
    where = "of another start on the same picture" if treatment == "same_image" else "of a donor"
    return f"With the latents {where}, answers become the donor's: {'; '.join(told)}."


def _shares(rows: pd.DataFrame) -> Iterator[dict[str, object]]:
    """One line for each exchange: shares of all answers, with intervals."""
    swapped = rows[rows["intervention"] != NONE]
    for values, group in swapped.groupby(KEY, sort=False):
        own, donor, expected = (
            group[name].fillna(False).to_numpy(bool)
            for name in ("keeps_own", "follows_donor", "follows_expected")
        )
        answers = [own, ~own & donor, ~own & ~donor & expected, ~own & ~donor & ~expected]
        line = {**dict(zip(KEY, values, strict=True)), "n": len(group)}
        for name, given in zip(WHOSE, answers, strict=True):
            share = accuracy_interval(given)
            line |= {name: share.mean, f"{name}_low": share.low, f"{name}_high": share.high}
        yield line


def _widest(data: pd.DataFrame) -> "pd.Series[bool]":
    """Which lines exchange all steps: those whose steps come last for their donor and part."""
    last = data.groupby(["model", "part", "donor"], sort=False)["steps"].transform("last")
    return data["steps"] == last


def _rows(shown: pd.DataFrame) -> tuple[dict[str, str], dict[str, float]]:
    """Labels and places of the bars, grouped by part."""
    rows: dict[str, str] = {}
    places: dict[str, float] = {}
    parts = [part for part in PARTS if part in set(shown["part"])]
    for i, part in enumerate(parts):
        for donor in names(shown["donor"]):
            row = f"{part} {donor}"
            if row in set(shown["row"]):
                places[row] = len(rows) + GAP * i
                rows[row] = f"{PARTS[part]}: {DONORS.get(donor, donor)}"
    return rows, places

"""The calibration as a table and in sentences."""

from collections.abc import Iterator

import pandas as pd

from latentlab.calibrate.verdicts import (
    BROKEN,
    ENOUGH,
    NEGATIVE,
    ONE_RULE,
    POSITIVE,
    SEPARATES,
    SHAM,
    TOO_FEW,
    UNKNOWN,
)
from latentlab.console import amount, table
from latentlab.wording import joined, paragraph, part_name, sentence

_UNITS = {"fraction": "%", "points lost": "points of fall", "fraction above": "points above"}
"""Units that are shown in per cent, and how they are called then."""

SPARE = ("unit", UNKNOWN)
"""Columns that a narrow screen does without, the first to go first: what models of unknown truth
read is in the sentences, too."""


NARROW = 12
"""Readings stay side by side at 80 columns, if names of instruments are folded to this width."""


def show_table(summary: pd.DataFrame) -> None:
    """Put one line an instrument on the screen: verdict, positive, negative, unknown."""
    summary = summary.assign(model=_named(summary))
    summary = summary[summary["role"] != SHAM]
    for (link, part), lines in summary.groupby(["link", "part"], sort=False):
        shown = [
            {
                "instrument": str(name).replace("_", " "),
                "verdict": of["verdict"].iloc[0].replace(ONE_RULE, "one rule"),
                **{
                    role: "\n".join(_reading(line) for _, line in group.iterrows())
                    for role in (POSITIVE, NEGATIVE, UNKNOWN)
                    for group in [of[of["role"] == role]]
                },
                "unit": _UNITS.get(str(unit), unit),
            }
            for (name, unit), of in lines.groupby(["instrument", "unit"], sort=False)
        ]
        columns = ["instrument", "verdict", POSITIVE, NEGATIVE, UNKNOWN, "unit"]
        title = f"{link}, {part_name(str(part))}: readings with 95 % intervals"
        table(pd.DataFrame(shown), columns, title, spare=SPARE, narrow=NARROW)


def conclusion(summary: pd.DataFrame) -> list[str]:
    """Which instruments are to be trusted, and what they read on models of unknown truth."""
    return list(_sentences(summary))


def _sentences(summary: pd.DataFrame) -> Iterator[str]:
    tested = summary[(summary["role"] != SHAM) & (summary["verdict"] != "")]
    for link, lines in tested.groupby("link", sort=False):
        verdicts = lines.drop_duplicates(["instrument", "part"])
        good = int((~verdicts["verdict"].isin([BROKEN, TOO_FEW])).sum())
        text = (
            f"{link}: {good} of {len(verdicts)} readings tell positive from negative controls, "
            "intervals apart"
        )
        if alone := int((verdicts["verdict"] == ONE_RULE).sum()):
            text += (
                f"; {alone} of these remove slots under one rule of positions, and are not trusted "
                "alone for what they say of content"
            )
        yield f"{text}."
    broken = summary[summary["verdict"] == BROKEN].drop_duplicates(["instrument", "part"])
    for _, line in broken.iterrows():
        yield f"BROKEN: {line['instrument']} ({part_name(str(line['part']))})."
    few = summary[summary["verdict"] == TOO_FEW].drop_duplicates(["instrument", "part"])
    if len(few):
        yield (
            f"{few['n'].min()} questions are too few to judge {len(few)} readings: estimates are "
            f"in order, but intervals overlap. From {ENOUGH} questions on they are judged."
        )
    sham = summary[summary["role"] == SHAM]
    worst = float(sham["value_high"].max())
    commands = ", ".join(name.partition(":")[0] for name in sham["instrument"].unique())
    exact = "exactly 0" if worst == 0 else f"up to {worst:.3g}, which must be 0"
    yield f"Shams of {commands} change {exact} on {sham['model'].nunique()} models."
    for model, lines in summary[summary["role"] == UNKNOWN].groupby("model", sort=False):
        told = joined(list(_unknown(lines)))
        yield paragraph(str(model), sentence(f"of the trusted readings {told} lie above 0"))


def _unknown(lines: pd.DataFrame) -> Iterator[str]:
    """Of a model of unknown truth, how many trusted readings of each part are above zero."""
    trusted = lines[lines["verdict"] == SEPARATES]
    for (link, part), group in trusted.groupby(["link", "part"], sort=False):
        above = int((group["value_low"] > 0).sum())
        yield f"{above} of {len(group)} on its {part_name(str(part))} ({link})"


def _named(summary: pd.DataFrame) -> pd.Series:
    """Models as tables name them: with the seed of their training, where there are several."""
    several = summary.groupby("model")["training_seed"].transform("nunique") > 1
    seeds = " (seed " + summary["training_seed"].astype("string") + ")"
    return summary["model"] + seeds.where(several, "")


def _reading(line: "pd.Series[float]") -> str:
    """A model and its reading, which no line break comes between."""
    unit = "%" if str(line["unit"]) in _UNITS else ""
    text = amount(line["value"], line["value_low"], line["value_high"], unit).replace(" %", "", 1)
    return f"{line['model']} {text}".replace(" ", "\xa0")

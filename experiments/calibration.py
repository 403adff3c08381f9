"""What every instrument reads on models of known truth, and on the model in question.

Study: `calibration` (`latentlab.calibrate`). Positive controls: models to whose answer the part is
necessary, or whose latents hold content; negative controls: models whose answer cannot see latents
(`bypass`), or whose slots are empty (`filler`). Readings have different units, so each is divided
by that of its positive controls; readings that do the same with other contents share a row. We know
of no published instrument that was calibrated in this way.
"""

from itertools import pairwise

import pandas as pd
from matplotlib.axes import Axes

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing, caption
from latentlab.figures.dots import HOLLOW, draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import legend, of_sham
from latentlab.figures.lines import names
from latentlab.figures.readings import ROWS, merged, row_of
from latentlab.figures.style import INK, MUTED, canvas, look_of
from latentlab.vocabulary import PARTS

PART = "main"
STUDIES = (studies.CALIBRATION,)

PANELS = ("latent_text", "latent_vision")
"""Parts that get a panel; what is read of both together stands in the first."""

KNOWN, UNKNOWN, SHAM = ("positive", "negative"), "unknown", "sham"
"""What a model is to an instrument."""

READING = ["link", "part", "instrument"]

ENDS = ["reading_low", "reading_high"]


def make(found: Found) -> Drawing:
    """The figure: a panel for each part, a row for each sort of reading."""
    results = found[studies.CALIBRATION.name]
    lines = results.summary
    data = _in_units_of_positives(lines[lines["role"] != SHAM])
    marks = merged(data)
    labels = _labels(data)
    models = names([*data.loc[data["role"].isin(KNOWN), "model"], *data["model"]])
    unknown = set(data.loc[data["role"] == UNKNOWN, "model"])
    looks = {
        model: look_of(model, models) | (HOLLOW if model in unknown else {}) for model in models
    }
    panels = [part for part in PANELS if (marks["panel"] == part).any()]
    figure, axes = canvas(
        "double", 0.85 + 0.25 * len(labels), 1, len(panels), sharex=True, sharey=True
    )
    for axis, part in zip(axes, panels, strict=True):
        draw_dots(axis, marks[marks["panel"] == part], labels, looks, "reading", 1)
        axis.axvline(1, color=MUTED, linewidth=0.6, zorder=0)
        _separate(axis, data, labels)
        axis.set(title=PARTS[part], xlabel="reading (positive control = 1)", xticks=(0, 0.5, 1))
    legend(
        figure,
        axes[0],
        {
            f"{model} (unknown)" if model in unknown else model: style | {"linestyle": "none"}
            for model, style in looks.items()
        },
        len(looks),
    )
    columns = [*READING, "row", "unit", "model", "role", "data", "n", "value", "value_low"]
    columns += ["value_high", "reading", *ENDS, "verdict"]
    shams = lines.loc[lines["role"] == SHAM, ["value", "value_low", "value_high"]]
    drawn = (
        f"Readings on models whose truth is known and on {', '.join(sorted(unknown)) or 'no other'}"
        f" (hollow): 95 % intervals over {data['n'].min()} to {data['n'].max()} questions of "
        f"{' or '.join(names(data['data']))}. Upper block: latent → answer; lower: input → latent. "
        "Rows of several readings show their median and the span of all intervals. Weights are "
        f"fixed; nothing was retrained. Shams change {of_sham(shams)}."
    )
    return Drawing(figure, data[columns].reset_index(drop=True), caption(_finding(data), drawn))


def _finding(data: pd.DataFrame) -> str:
    """How far known models lie apart in trusted readings, and what of the others lies above 0."""
    broken = data[data["verdict"] == "broken"].drop_duplicates(READING)
    trusted = data[~data["one_rule"].astype(bool)] if "one_rule" in data else data
    all_read = len(trusted.drop_duplicates(READING))
    least = trusted.loc[trusted["role"] == "positive", "reading_low"].min()
    most = trusted.loc[trusted["role"] == "negative", "reading_high"].max()
    if len(broken):
        told = "; ".join(broken["instrument"] + ", " + broken["part"].map(PARTS))
        finding = f"{len(broken)} of {all_read} readings do not separate their controls ({told})"
    else:
        finding = (
            f"All {all_read} readings tell models that need their latents from models that cannot "
            f"use them: positive controls read at least {least:.2f} of their mean, negative "
            f"controls at most {most:.2f}"
        )
    for model, of_model in trusted[trusted["role"] == UNKNOWN].groupby("model", sort=False):
        of_answer = of_model[of_model["link"] == data["link"].iloc[0]]
        counts = [
            f"{(of_part['reading_low'] > 0).sum()} of {len(of_part)} ({PARTS[part]})"
            for part, of_part in of_answer.groupby("part", sort=False)
            if part in PANELS
        ]
        finding += f"; of {model}, above 0 lie {' and '.join(counts)}" if counts else ""
    return f"{finding}."


def _in_units_of_positives(lines: pd.DataFrame) -> pd.DataFrame:
    """Lines with `reading` and its ends: the value by that of the positive controls; with `row`."""
    positive = lines[lines["role"] == "positive"].groupby(READING)["value"].mean()
    unit = pd.Series(
        [positive.get(tuple(row), float("nan")) for row in lines[READING].to_numpy()], lines.index
    )
    lines = lines.assign(
        **{f"reading{end}": lines[f"value{end}"] / unit for end in ("", "_low", "_high")},
        row=lines["instrument"].map(row_of),
        series=lines["model"],
        panel=lines["part"].where(lines["part"].isin(PANELS), PANELS[0]),
    )
    order = names(lines["link"])
    return lines.sort_values("link", key=lambda link: link.map(order.index), kind="stable")


def _labels(data: pd.DataFrame) -> dict[str, str]:
    """Labels of the rows from top to bottom; an exclamation mark where a reading is broken."""
    labels: dict[str, str] = {}
    for _, of_link in data.groupby("link", sort=False):
        there = names(of_link["row"])
        for row in [*(r for r in ROWS if r in there), *(r for r in there if r not in ROWS)]:
            group = of_link[of_link["row"] == row]
            broken = (group["verdict"] == "broken").any()
            count = group["instrument"].nunique()
            both = "" if group["part"].isin(PANELS).all() else " (both parts)"
            several = f" ({count})" if count > 1 else ""
            labels[row] = f"{row}{both}{several}{' (!)' if broken else ''}"
    return labels


def _separate(axis: Axes, data: pd.DataFrame, labels: dict[str, str]) -> None:
    """Draw a border between the blocks of rows."""
    link_of = data.drop_duplicates("row").set_index("row")["link"]
    for place, (above, below) in enumerate(pairwise(labels)):
        if link_of[above] != link_of[below]:
            axis.axhline(place + 0.5, color=INK, linewidth=0.9, zorder=0)

"""What every instrument reads on models of known truth, and on the model in question.

Study: `calibration` (`latentlab.calibrate`). Positive controls: models to whose answer the part is
necessary, or whose latents hold content; negative controls: models whose answer cannot see latents
(`bypass`), or whose slots are empty (`filler`). Readings have different units, so each is divided
by that of its positive controls. We know of no
published instrument that was calibrated in this way.
"""

import pandas as pd

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.dots import HOLLOW, draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import WEIGHTS, legend, of_sham
from latentlab.figures.lines import names
from latentlab.figures.style import INK, MUTED, canvas, look_of
from latentlab.vocabulary import PARTS

STUDIES = (studies.CALIBRATION,)

PANELS = ("latent_text", "latent_vision")
"""Parts that get a panel; what is read of both together stands in the first."""

KNOWN, UNKNOWN, SHAM = ("positive", "negative"), "unknown", "sham"
"""What a model is to an instrument."""

READING = ["link", "part", "instrument"]


def make(found: Found) -> Drawing:
    """The figure: a panel for each part, a row for each reading."""
    results = found[studies.CALIBRATION.name]
    lines = results.summary
    data = _in_units_of_positives(lines[lines["role"] != SHAM])
    links, rows = names(data["link"]), _rows(data)
    models = names([*data.loc[data["role"].isin(KNOWN), "model"], *data["model"]])
    unknown = set(data.loc[data["role"] == UNKNOWN, "model"])
    looks = {
        model: look_of(model, models) | (HOLLOW if model in unknown else {}) for model in models
    }
    panels = [part for part in PANELS if (data["panel"] == part).any()]
    figure, axes = canvas(
        "double", 0.85 + 0.25 * len(rows), 1, len(panels), sharex=True, sharey=True
    )
    borders = [
        sum(row.startswith(link) for row in rows for link in links[: i + 1])
        for i in range(len(links) - 1)
    ]
    for axis, part in zip(axes, panels, strict=True):
        draw_dots(axis, data[data["panel"] == part], rows, looks, "reading", 1)
        axis.axvline(1, color=MUTED, linewidth=0.6, zorder=0)
        for border in borders:
            axis.axhline(border - 0.5, color=INK, linewidth=0.9, zorder=0)
        axis.set(title=PARTS[part], xlabel="reading (positive control = 1)")
    marks = {
        f"{model}, hollow: truth not known" if model in unknown else model: style
        | {"linestyle": "none"}
        for model, style in looks.items()
    }
    legend(figure, axes[0], marks, len(marks))
    broken = data[data["verdict"] == "broken"].drop_duplicates(READING)
    verdict = (
        f"Broken, marked (!): {', '.join(broken['instrument'] + ', ' + broken['part'].map(PARTS))}."
        if len(broken)
        else "All readings separate their positive from their negative controls."
    )
    known = names(lines.loc[lines["role"].isin(KNOWN), "model"])
    n = f"{data['n'].min()} to {data['n'].max()}"
    asked = " and ".join(names(data["data"]))
    caption = (
        f"Instruments on models whose truth is known by construction ({', '.join(known)}), and on "
        f"{', '.join(sorted(unknown)) or 'no other model'}: {n} readings a mark, on {asked}. "
        f"{WEIGHTS} Upper block: does the answer depend on latents; lower block: do latents depend "
        "on the input. Units differ (points, nats, fractions, standard deviations), so each "
        "reading and its interval is divided by the mean of its positive controls; where two "
        "models are positive controls, both lie near 1. Positive: relay for latent text, gaze for "
        "latent vision, redundant too where patches stand in for what the picture lacks, and below "
        "also bypass and decoy, whose latents hold content; negative: above bypass, whose answer "
        "cannot see them, decoy, which learnt nothing from them, redundant where its patches are "
        "taken away from a whole picture, and filler, whose slots hold a constant, where content "
        "is exchanged or read. What removes slots under one rule of positions is not trusted "
        "alone. "
        f"{verdict} {_shams(lines)} Bars are 95 % intervals over questions "
        "(Wilson for fractions of answers, else bootstrap), without the uncertainty of the "
        "positive control. We know of no published instrument for latent reasoning "
        "that comes with such readings."
    )
    columns = [*READING, "unit", "model", "role", "data", "n", "value", "value_low", "value_high"]
    columns += ["reading", "reading_low", "reading_high", "verdict"]
    return Drawing(figure, data[columns].reset_index(drop=True), caption)


def _in_units_of_positives(lines: pd.DataFrame) -> pd.DataFrame:
    """Lines with `reading` and its ends: the value by that of the positive controls."""
    positive = lines[lines["role"] == "positive"].groupby(READING)["value"].mean()
    unit = pd.Series(
        [positive.get(tuple(row), float("nan")) for row in lines[READING].to_numpy()], lines.index
    )
    lines = lines.assign(
        **{f"reading{end}": lines[f"value{end}"] / unit for end in ("", "_low", "_high")},
        row=lines["link"] + ": " + lines["instrument"],
        series=lines["model"],
        panel=lines["part"].where(lines["part"].isin(PANELS), PANELS[0]),
    )
    order = names(lines["link"])
    return lines.sort_values("link", key=lambda link: link.map(order.index), kind="stable")


def _rows(data: pd.DataFrame) -> dict[str, str]:
    """Labels of the rows: the reading, and whether it is broken in any panel."""
    rows = {}
    for row, group in data.groupby("row", sort=False):
        label = str(group["instrument"].iloc[0])
        both = "" if group["part"].isin(PANELS).all() else " (both parts)"
        mark = " (!)" if (group["verdict"] == "broken").any() else ""
        rows[str(row)] = f"{label}{both}{mark}"
    return rows


def _shams(lines: pd.DataFrame) -> str:
    """What shams changed, for the caption."""
    shams = lines.loc[lines["role"] == SHAM, ["value", "value_low", "value_high"]]
    return f"Shams, which put everything back where it was, change {of_sham(shams)}."

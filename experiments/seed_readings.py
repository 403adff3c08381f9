"""What instruments read on trainings from several seeds: each training a mark of its own.

Reads `experiments/data/seed_readings.parquet`, one row per reading, training and question, which
`_retrained.py` makes. A bar is the interval over questions; how far marks of one colour lie apart
is what another training does. The two are never pooled: three trainings are three, however many
questions each was asked. Readings that do the same with other contents share a row, as in
`calibration`; each is in the CSV file.
"""

from pathlib import Path

import pandas as pd

from latentlab.calibrate.verdicts import measure
from latentlab.figures.artifacts import Drawing, caption
from latentlab.figures.dots import draw_dots
from latentlab.figures.experiment import Found, Study
from latentlab.figures.instruments import legend
from latentlab.figures.lines import names
from latentlab.figures.readings import ROWS, merged, row_of
from latentlab.figures.style import MUTED, canvas, look_of
from latentlab.vocabulary import PARTS

PART = "appendix"
STUDIES: tuple[Study, ...] = ()

DATA = Path(__file__).parent / "data" / "seed_readings.parquet"

PANELS = ("latent_text", "latent_vision")
"""Parts that get a panel."""

POSITIVE = {"latent_text": "relay", "latent_vision": "gaze"}
"""The model whose mean reading is the unit of a row."""

KEYS = ["instrument", "part", "model", "training_seed"]


def make(found: Found) -> Drawing:
    """The figure: a panel for each part, a row for each sort of reading, a mark for a training."""
    rows = pd.read_parquet(DATA)
    rows = rows[rows["part"].isin(PANELS) & (rows["role"] != "sham")]
    lines = pd.DataFrame(
        {**dict(zip(KEYS, key, strict=True)), **measure(group)}
        for key, group in rows.groupby(KEYS, sort=False)
    )
    units = {
        key: group.loc[group["model"] == POSITIVE[key[1]], "value"].mean()
        for key, group in lines.groupby(["instrument", "part"])
    }
    unit = [units[key] for key in zip(lines["instrument"], lines["part"], strict=True)]
    lines = lines.assign(
        **{f"reading{end}": lines[f"value{end}"] / unit for end in ("", "_low", "_high")},
        row=lines["instrument"].map(row_of),
        series=lines["model"] + " " + lines["training_seed"].astype(str),
        panel=lines["part"],
    )
    models, there = names(lines["model"]), names(lines["row"])
    labels = [*(row for row in ROWS if row in there), *(row for row in there if row not in ROWS)]
    series = lines[["model", "training_seed", "series"]].drop_duplicates().sort_values("series")
    looks = {
        of["series"]: look_of(of["model"], models)
        for model in models
        for _, of in series[series["model"] == model].iterrows()
    }
    marks = merged(lines)
    figure, axes = canvas("double", 0.9 + 0.3 * len(labels), 1, 2, sharex=True, sharey=True)
    for axis, part in zip(axes, PANELS, strict=True):
        chosen = marks[marks["panel"] == part]
        draw_dots(axis, chosen, {label: label for label in labels}, looks, "reading", 1)
        axis.axvline(1, color=MUTED, linewidth=0.6, zorder=0)
        axis.set(title=PARTS[part], xlabel=f"reading (mean of {POSITIVE[part]} = 1)")
    legend(
        figure,
        axes[0],
        {model: look_of(model, models) | {"linestyle": "none"} for model in models},
        len(models),
    )
    seeds = sorted(lines["training_seed"].unique())
    text = (
        f"{', '.join(models)}, each trained from {len(seeds)} seeds (from top to bottom "
        f"{', '.join(map(str, seeds))}); {lines['n'].min()} to {lines['n'].max()} questions a "
        "mark. Bars are 95 % intervals over questions; of rows of several readings, the span of "
        "all, at their median. What another training does lies between marks of one colour and in "
        "no bar."
    )
    columns = [*KEYS, "row", "n", "value", "value_low", "value_high"]
    columns += ["reading", "reading_low", "reading_high"]
    data = lines[columns].reset_index(drop=True)
    return Drawing(figure, data, caption(_finding(lines), text))


def _finding(lines: pd.DataFrame) -> str:
    """How far the trainings of one model lie apart, and the positive from the other models."""
    key = ["model", "instrument", "part"]
    spread = lines.groupby(key)["reading"].agg(lambda readings: readings.max() - readings.min())
    positive = lines[lines["model"] == lines["part"].map(POSITIVE)]
    finding = (
        f"Readings of trainings of one model lie {spread.median():.2f} apart in the median and "
        f"{spread.max():.2f} at most ({spread.idxmax()[0]}, {row_of(spread.idxmax()[1])})"
    )
    above = (positive["reading_low"] > 0).sum()
    return f"{finding}; of the positive controls, {above} of {len(positive)} lie above 0."

"""What instruments read on trainings from several seeds: each training a mark of its own.

Reads `experiments/data/seed_readings.parquet`, one row per reading, training and question, which
`_retrained.py` makes. A bar is the interval over questions; how far marks of one colour lie apart
is what another training does. The two are never pooled: three trainings are three, however many
questions each was asked.
"""

from pathlib import Path

import pandas as pd

from latentlab.calibrate.verdicts import measure
from latentlab.figures.artifacts import Drawing
from latentlab.figures.dots import draw_dots
from latentlab.figures.experiment import Found, Study
from latentlab.figures.instruments import legend
from latentlab.figures.lines import names
from latentlab.figures.style import MUTED, canvas, look_of
from latentlab.vocabulary import PARTS

STUDIES: tuple[Study, ...] = ()

DATA = Path(__file__).parent / "data" / "seed_readings.parquet"

PANELS = ("latent_text", "latent_vision")
"""Parts that get a panel."""

POSITIVE = {"latent_text": "relay", "latent_vision": "gaze"}
"""The model whose mean reading is the unit of a row."""

KEYS = ["instrument", "part", "model", "training_seed"]


def make(found: Found) -> Drawing:
    """The figure: a panel for each part, a row for each reading, a mark for each training."""
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
        row=lines["instrument"],
        series=lines["model"] + " " + lines["training_seed"].astype(str),
    )
    models, labels = names(lines["model"]), names(lines["row"])
    series = lines[["model", "training_seed", "series"]].drop_duplicates().sort_values("series")
    looks = {
        of["series"]: look_of(of["model"], models)
        for model in models
        for _, of in series[series["model"] == model].iterrows()
    }
    figure, axes = canvas("double", 1.0 + 0.42 * len(labels), 1, 2, sharex=True, sharey=True)
    for axis, part in zip(axes, PANELS, strict=True):
        chosen = lines[lines["part"] == part]
        draw_dots(axis, chosen, {label: label for label in labels}, looks, "reading", 1)
        axis.axvline(1, color=MUTED, linewidth=0.6, zorder=0)
        title = f"{PARTS[part]} ({POSITIVE[part]} = 1)"
        axis.set(title=title, xlabel="reading (mean of the positive control = 1)")
    marks = {model: look_of(model, models) | {"linestyle": "none"} for model in models}
    legend(figure, axes[0], marks, len(marks))
    seeds = sorted(lines["training_seed"].unique())
    caption = (
        f"Readings of the instruments on {', '.join(models)}, each trained from {len(seeds)} seeds "
        f"(from top to bottom seed {', '.join(map(str, seeds))}); {lines['n'].min()} to "
        f"{lines['n'].max()} questions a mark. Bars are 95 % intervals over questions; marks of "
        "one colour lie apart by what another training does, which no bar holds. Each row is "
        "divided by the mean of its positive control over seeds."
    )
    columns = [*KEYS, "n", "value", "value_low", "value_high"]
    columns += ["reading", "reading_low", "reading_high"]
    return Drawing(figure, lines[columns].reset_index(drop=True), caption)

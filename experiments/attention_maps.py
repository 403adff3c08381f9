"""Where a single question is looked at, step by step: attention over the image.

Study: `attention` (`latentlab.attention`): attention on every patch at the position that a step
begins from, averaged over layers and heads, for a model that reasons in latents and one that writes
its steps, on one question. Pictures are made again from the data; no model runs. What uniform
attention would be is in the caption. Users of ICoT could not reproduce its attention figures (its
repository, issue 20).
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle
from PIL.Image import Image

from latentlab.attention.summary import AFTER
from latentlab.data import Example, load_data
from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing, caption
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import legend
from latentlab.figures.lines import names
from latentlab.figures.style import (
    ARM_COLOURS,
    DARK_LETTERS,
    LIGHT_LETTERS,
    MUTED,
    SEQUENTIAL,
    canvas,
)
from latentlab.measures.summary import ALL
from latentlab.wording import joined

PART = "appendix"

STUDIES = (studies.ATTENTION,)

MODES = ("latent", "explicit")

VEIL = 0.78  # opacity of the colours over the picture

GROUND = 0.25  # grey of the picture's background under them

HALO: list[Any] = [patheffects.withStroke(linewidth=2, foreground=DARK_LETTERS)]

PICK: Any = {"edgecolor": LIGHT_LETTERS, "linewidth": 1.3, "fill": False}

READ: Any = {
    "marker": "o",
    "markerfacecolor": ARM_COLOURS[2],
    "markeredgecolor": LIGHT_LETTERS,
    "markersize": 5,
}


def make(found: Found) -> Drawing:
    """The figure: a row for each model, the picture and then a map for each step."""
    results = found[studies.ATTENTION.name]
    rows, config = results.rows, results.run["config"]
    rows = rows[(rows["layers"] == ALL) & (rows["heads"] == ALL) & (rows["query"] != AFTER)]
    models = _models(rows)
    rows = rows[rows["model"].isin(models) & rows["mode"].isin(MODES)]
    example = _example(_chosen(rows), config["data"], config["seed"], results.rows)
    drawn = _cells(rows[rows["example"] == example.id])
    steps = sorted(set(drawn["step"]))
    highest = float(drawn["attention"].max())
    figure, axes = canvas("single", 0.5 + 0.75 * len(models), len(models), 1 + len(steps))
    for place, axis in enumerate(axes):
        model, column = models[place // (1 + len(steps))], place % (1 + len(steps))
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
        if column == 0:
            if example.image is not None:
                axis.imshow(example.image)
            axis.set_ylabel(model)
        else:
            here = (drawn["model"] == model) & (drawn["step"] == steps[column - 1])
            _map(axis, example, drawn[here], highest)
    for axis, title in zip(axes, ["picture", *(f"step {step}" for step in steps)], strict=False):
        axis.set_title(title)
    scale = ScalarMappable(Normalize(0, 100 * highest), SEQUENTIAL)
    bar = figure.colorbar(scale, ax=axes, label="attention (%)", pad=0.01, alpha=VEIL)
    bar.ax.set_facecolor(str(GROUND))
    outline: Any = {"color": MUTED, "marker": "s", "markerfacecolor": "none"}
    marks = {"picked": ("picked", outline), "read": ("cell to be read", READ)}
    known = [mark for column, mark in marks.items() if drawn[column].any()]
    if known:
        looks = {name: style | {"linestyle": "none"} for name, style in known}
        legend(figure, axes[0], looks, len(looks))
    columns = ["example", "model", "step", "patch", "attention", "picked", "read", "uniform"]
    uniform = f"{100 * drawn['uniform'].min():.1f} to {100 * drawn['uniform'].max():.1f} %"
    text = (
        f"Attention on each patch where a step begins, on one question of {config['data']} (n = 1, "
        f"the first whose right option all models find likeliest): {example.question} "
        f"{example.answer}. Uniform attention would put {uniform} on a patch."
    )
    return Drawing(figure, drawn[columns].reset_index(drop=True), caption(_finding(rows), text))


def _finding(rows: pd.DataFrame) -> str:
    """How often the patch that is attended to most is the one to be read, over all questions."""
    maps = rows[rows["patch_attention"].notna()]
    known = maps[maps["cell_read"].notna()]
    if known.empty:
        return f"The maps are of one question; {maps['example'].nunique()} were asked."
    best = known["patch_attention"].map(lambda patches: int(np.argmax(patches)))
    hits = (best == known["cell_read"].astype(int)).groupby(known["model"], sort=False).mean()
    shares = joined(
        [f"{100 * share:.0f} % of the steps of {model}" for model, share in hits.items()]
    )
    chance = 100 / len(known["patch_attention"].iloc[0])
    return (
        f"Over {known['example'].nunique()} questions the patch attended to most is the one to be "
        f"read in {shares}; chance is {chance:.0f} %."
    )


def _models(rows: pd.DataFrame) -> list[str]:
    """One model of each mode: the first that picks patches, else the first."""
    chosen = []
    for mode in MODES:
        of_mode = rows[(rows["mode"] == mode) & rows["patch_attention"].notna()]
        free = of_mode[of_mode["picks"].notna()]
        chosen += names((free if len(free) else of_mode)["model"])[:1]
    return chosen


def _chosen(rows: pd.DataFrame) -> str:
    """Name of the first question that all models get right; of the first where there is none."""
    right = rows.groupby("example", sort=False)["correct_likelihood"].agg(
        lambda values: bool(values.fillna(False).all())
    )
    return str([*right.index[right], *right.index][0])


def _example(name: str, data: str, seed: int, rows: pd.DataFrame) -> Example:
    """Make a question again; rows stand in the order of the data."""
    place = names(rows["example"]).index(name)
    example = load_data(data, seed=seed)[place]
    assert example.id == name, f"{data} does not begin as it did: {example.id} is not {name}"
    return example


def _cells(maps: pd.DataFrame) -> pd.DataFrame:
    """One line for each patch of each map."""
    lines = []
    for _, row in maps[maps["patch_attention"].notna()].iterrows():
        attention = np.asarray(row["patch_attention"], float)
        picks = set() if row["picks"] is None else {int(pick) for pick in row["picks"]}
        for patch, value in enumerate(attention):
            lines.append(
                {
                    **{name: row[name] for name in ("example", "model", "step", "grid_columns")},
                    "patch": patch,
                    "attention": value,
                    "picked": patch in picks,
                    "read": not pd.isna(row["cell_read"]) and patch == row["cell_read"],
                    "uniform": 1 / row["keys"],
                }
            )
    return pd.DataFrame(lines)


def _map(axis: Axes, example: Example, cells: pd.DataFrame, highest: float) -> None:
    """Draw attention over the picture, the picks and the cell to be read."""
    if cells.empty or example.image is None:
        axis.set_axis_off()
        return
    columns = int(cells["grid_columns"].iloc[0])
    grid = cells.sort_values("patch")["attention"].to_numpy().reshape(-1, columns)
    height, width = len(grid), columns
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    axis.imshow(_faint(example.image), cmap="gray", vmin=0, vmax=1, extent=extent)
    axis.imshow(100 * grid, cmap=SEQUENTIAL, vmin=0, vmax=100 * highest, alpha=VEIL, extent=extent)
    axis.set(xlim=(-0.56, width - 0.44), ylim=(height - 0.44, -0.56))  # outlines at the border
    for _, cell in cells.iterrows():
        row, column = divmod(int(cell["patch"]), columns)
        if cell["picked"]:
            box = Rectangle((column - 0.44, row - 0.44), 0.88, 0.88, **PICK)
            box.set_path_effects(HALO)
            axis.add_patch(box)
        if cell["read"]:
            axis.plot(column, row, **READ)


def _faint(image: Image) -> np.ndarray:
    """What stands out of a picture's background, light or dark, in faint grey: (rows, columns)."""
    grey = np.asarray(image.convert("L"), float)
    distance = np.abs(grey - np.median(grey))
    faint: np.ndarray = GROUND + (1 - GROUND) * distance / max(float(distance.max()), 1.0)
    return faint

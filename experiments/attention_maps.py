"""Where single questions are looked at, step by step: attention over the image.

Study: `attention` (`latentlab.attention`): attention on every patch at the position that a step
begins from, averaged over layers and heads, for a model that reasons in latents and one that writes
its steps. Pictures are made again from the data; no model runs. What uniform attention would be is
in the caption. Users of ICoT could not reproduce its attention figures (its repository, issue 20).
"""

from collections.abc import Sequence
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
from latentlab.figures.artifacts import Drawing
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import WEIGHTS, legend
from latentlab.figures.lines import names
from latentlab.figures.style import MUTED, SEQUENTIAL, canvas
from latentlab.measures.summary import ALL

STUDIES = (studies.ATTENTION,)

MODES = ("latent", "explicit")

SHOWN = 3  # examples

VEIL = 0.78  # opacity of the colours over the picture

GROUND = 0.25  # grey of the picture's background under them

HALO: list[Any] = [patheffects.withStroke(linewidth=2, foreground="black")]

PICK: Any = {"edgecolor": "white", "linewidth": 1.3, "fill": False}

READ: Any = {
    "marker": "o",
    "markerfacecolor": "#D55E00",
    "markeredgecolor": "white",
    "markersize": 5,
}


def make(found: Found) -> Drawing:
    """The figure: a row for each question, the picture and then a map for each step."""
    results = found[studies.ATTENTION.name]
    rows, config = results.rows, results.run["config"]
    rows = rows[(rows["layers"] == ALL) & (rows["heads"] == ALL) & (rows["query"] != AFTER)]
    shown = [rows[rows["model"] == model] for model in _models(rows)]
    shown = [of_model[of_model["mode"].isin(MODES)] for of_model in shown]
    chosen = _chosen(shown)
    examples = _examples(chosen, config["data"], config["seed"], rows)
    panels = [(maps["model"].iloc[0], s) for maps in shown for s in sorted(set(maps["step"]))]
    drawn = pd.concat([_cells(maps[maps["example"].isin(chosen)]) for maps in shown])
    highest = float(drawn["attention"].max())
    width = 1 + len(panels)
    figure, axes = canvas("double", 0.65 + 0.86 * len(chosen), len(chosen), width)
    for axis, (name, column) in zip(
        axes, ((n, c) for n in chosen for c in range(width)), strict=True
    ):
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
        example = examples[name]
        if column == 0:
            if example.image is not None:
                axis.imshow(example.image)
            axis.set_ylabel(example.domain, fontsize=6.5)
            continue
        model, step = panels[column - 1]
        here = (drawn["example"] == name) & (drawn["model"] == model) & (drawn["step"] == step)
        _map(axis, example, drawn[here], highest)
    axes[0].set_title("picture", fontsize=6.5)
    for axis, (model, step) in zip(axes[1:], panels, strict=False):
        axis.set_title(f"{model}\nstep {step}", fontsize=6.5)
    scale = ScalarMappable(Normalize(0, 100 * highest), SEQUENTIAL)
    label = "attention on a patch (%)"
    bar = figure.colorbar(scale, ax=axes, label=label, shrink=0.8, pad=0.01, alpha=VEIL)
    bar.ax.set_facecolor(str(GROUND))
    outline: Any = {"color": MUTED, "marker": "s", "markerfacecolor": "none"}
    marks = {"picked": ("picked to be re-inserted", outline), "read": ("cell to be read", READ)}
    known = [mark for column, mark in marks.items() if drawn[column].any()]
    if known:
        looks = {name: style | {"linestyle": "none"} for name, style in known}
        legend(figure, axes[0], looks, len(looks))
    questions = "; ".join(f"{examples[n].question} {examples[n].answer}." for n in chosen)
    caption = (
        f"Attention over the image at each step, of {' and '.join(names(drawn['model']))}, on "
        f"{len(chosen)} questions of {config['data']}: {questions} {WEIGHTS} For each domain the "
        "first question whose right option all models shown find likeliest; n = 1 each, so there "
        "are no intervals (`attention` has the means). Colours are the attention on each patch of "
        "the position that the step begins from, averaged over layers and heads, in per cent of "
        "all its attention, on one scale; of the picture faint outlines show through. White "
        "outlines: patches picked there to be re-inserted; dot: the cell whose mark has to be read "
        "at this step. Uniform attention over all keys would put "
        f"{100 * drawn['uniform'].min():.1f} to {100 * drawn['uniform'].max():.1f} % on each "
        "patch. Maps that are missing: the image is hidden there, or the step was not reached. "
        "Attention is no evidence that a patch is needed."
    )
    columns = ["example", "model", "step", "patch", "attention", "picked", "read", "uniform"]
    return Drawing(figure, drawn[columns].reset_index(drop=True), caption)


def _models(rows: pd.DataFrame) -> list[str]:
    """One model of each mode: the first that picks patches, else the first."""
    chosen = []
    for mode in MODES:
        of_mode = rows[(rows["mode"] == mode) & rows["patch_attention"].notna()]
        free = of_mode[of_mode["picks"].notna()]
        chosen += names((free if len(free) else of_mode)["model"])[:1]
    return chosen


def _chosen(shown: Sequence[pd.DataFrame]) -> list[str]:
    """Names of the first questions that all models get right: of each domain one, if there are any.

    Where too few are right, questions that are not are taken as well.
    """
    rows = pd.concat(shown)
    right = rows.groupby("example", sort=False)["correct_likelihood"].agg(
        lambda values: bool(values.fillna(False).all())
    )
    of = rows.drop_duplicates("example").set_index("example")["domain"]
    ranked = [*right.index[right], *right.index[~right]]
    firsts = list({of[name]: name for name in reversed(ranked)}.values())[::-1]
    rest = [name for name in ranked if name not in firsts]
    return [*sorted(firsts, key=lambda name: str(of[name])), *rest][:SHOWN]


def _examples(
    chosen: Sequence[str], data: str, seed: int, rows: pd.DataFrame
) -> dict[str, Example]:
    """Make the chosen questions again; rows stand in the order of the data."""
    examples = load_data(data, seed=seed)
    places = {name: place for place, name in enumerate(names(rows["example"]))}
    found = {}
    for name in chosen:
        example = examples[places[name]]
        assert example.id == name, f"{data} does not begin as it did: {example.id} is not {name}"
        found[name] = example
    return found


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

"""Words and lines that the figures about instruments share."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from latentlab.figures.lines import names
from latentlab.vocabulary import PARTS

WEIGHTS = "Weights are fixed; nothing was retrained."
"""What captions say of how the numbers came about."""

UNPUBLISHED = "The IVT-LR paper has nothing to compare this with."
"""What captions say where no published number is of the same thing."""

PERTURBATIONS = {
    "other_image": "another picture",
    "blank": "blank picture",
    "noise": "picture noise",
    "shuffle": "patches shuffled",
    "mask_needed": "needed cell hidden",
    "mask_other": "other cell hidden",
    "relink": "mark leads elsewhere",
    "restart": "other start",
    "shuffle_words": "words shuffled",
    "none": "nothing (sham)",
}
"""What is done to an input, as figures name it, from the crudest to the subtlest."""


def perturbation_label(name: str) -> str:
    """A perturbation of a study as figures name it, with the strength or hop that goes with it."""
    head, _, rest = name.partition(" ")
    comma = "," if rest.startswith("hop") else ""
    return f"{PERTURBATIONS.get(head, head)}{comma} {rest}".strip()


def perturbations_in(lines: pd.DataFrame) -> dict[str, str]:
    """Perturbations that lines tell of and their labels, in the order of `PERTURBATIONS`."""
    order = list(PERTURBATIONS)
    found = names(lines["perturbation"])
    found.sort(key=lambda name: order.index(name.split()[0]) if name.split()[0] in order else 0)
    return {name: perturbation_label(name) for name in found}


def without_repeats(lines: pd.DataFrame) -> pd.DataFrame:
    """Lines without those of both parts together of models that have only one part."""
    several = lines.groupby("model")["part"].transform(lambda parts: set(parts) >= set(PARTS))
    return lines[(lines["part"] != "latent") | several]


def sampled(lines: pd.DataFrame, data: str, what: str = "questions") -> str:
    """Which models were asked how many questions of which data, for captions."""
    least, most = lines["n"].min(), lines["n"].max()
    n = str(least) if least == most else f"{least} to {most}"
    return f"{', '.join(names(lines['model']))} on {n} {what} of {data}"


def widest(lines: pd.DataFrame, value: str) -> str:
    """How wide the intervals of a fraction are, for captions of heat maps, which have no bars."""
    width = 100 * (lines[f"{value}_high"] - lines[f"{value}_low"]).max()
    if pd.isna(width):
        return "do not exist, since nothing could be measured"
    return f"reach at most {width / 2:.1f} points to either side"


def of_sham(changes: pd.DataFrame) -> str:
    """What a sham did, in words for captions.

    Args:
        changes: everything that it could have changed, 0 where it did not.
    """
    largest = float(np.nanmax(np.abs(changes.to_numpy(float)), initial=0))
    return "exactly nothing" if largest == 0 else f"something, up to {largest:.2g}"


def legend(figure: Figure, axis: Axes, looks: Mapping[str, dict[str, Any]], columns: int) -> None:
    """Name series by marks above the figure, also those that the first panel does not hold."""
    for label, style in looks.items():
        axis.plot([], [], **style, label=label)
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=columns, columnspacing=1.2)

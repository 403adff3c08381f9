"""Readings of the calibration: which of them share a row, and how a row of several is drawn."""

import pandas as pd

ROWS = {
    "removed, under every rule of positions": ("ablate: removed, under every rule",),
    "removed, under one rule": (
        "ablate: drop, positions held", "ablate: drop, positions closed", "ablate: slots emptied",
    ),
    "overwritten by means or noise": (
        "ablate: mean", "ablate: constant", "ablate: zero", "ablate: noise 2",
        "ablate: norm matched", "ablate: matched noise", "ablate: unit noise",
    ),
    "exchanged or reordered": ("ablate: other", "ablate: permute", "ablate: first"),
    "patches supply a hidden cell": ("ablate: patches supply",),
    "answers as the donor": ("interchange: answers as the donor",),
    "one mark changed in a patch": ("interchange: mark in a patch",),
    "latents of a changed input alone": (
        "mediation: latents of another mark", "mediation: latents of a hidden cell",
    ),
    "kept latents avert the change": ("mediation: kept latents avert",),
    "activations restored": ("patch: answer restored",),
    "hidden from the answer": ("patch: hidden from the answer",),
    "added to the logit": ("lens: added to the logit",),
    "moved by the picture": ("mediation: moved by the picture",),
    "object read by a probe": ("probe: object above shuffled",),
    "object read by the unembedding": ("lens: object above another",),
}  # fmt: skip
"""Rows from top to bottom, and the readings that each holds; a reading not named has its own."""

_ROW_OF = {reading: row for row, readings in ROWS.items() for reading in readings}


def row_of(reading: str) -> str:
    """The row that a reading stands in."""
    return _ROW_OF.get(reading, reading)


def merged(readings: pd.DataFrame) -> pd.DataFrame:
    """One mark for each row, panel and series: the median, and the span of all intervals.

    Args:
        readings: lines with `row`, `panel`, `series`, and `reading` with its ends.
    """
    marks = readings.groupby(["row", "panel", "series"], sort=False).agg(
        reading=("reading", "median"),
        reading_low=("reading_low", "min"),
        reading_high=("reading_high", "max"),
    )
    return marks.reset_index()

"""Puts what holds on the screen, and says what does not."""

import pandas as pd

from latentlab.check.checks import HOLDS
from latentlab.console import table

COLUMNS = {
    "model": "model",
    "family": "family",
    "claim": "check",
    "difference": "difference",
    "tolerance": "tolerance",
    "verdict": "verdict",
}


def show_table(rows: pd.DataFrame) -> None:
    """Put one table on the screen, a line for each model and check."""
    title = "largest differences in float32; 0 is equal to the bit"
    table(rows, COLUMNS, title, percent=())


def conclusion(rows: pd.DataFrame) -> list[str]:
    """One sentence a model, and one for each check that does not hold."""
    said = []
    for model, of in rows.groupby("model", sort=False):
        holds = of["verdict"] == HOLDS
        said.append(f"{model}: {int(holds.sum())} of {len(of)} checks hold.")
        for line in of[~holds].to_dict("records"):
            apart = f"{line['difference']:.3g} is more than {line['tolerance']:.3g}"
            said.append(f"{model}: {line['check']} {line['verdict']}: {line['reason'] or apart}")
    return said

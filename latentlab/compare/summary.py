"""Lines about ways to answer: how often right and at what cost, as `evaluate` has them."""

import pandas as pd

from latentlab.compare.rows import WAY
from latentlab.evaluate.summary import summary_of as lines_of
from latentlab.measures.summary import ALL


def summary_of(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """One line per way and group of examples.

    Args:
        rows: with the columns of `study.by_method.run_by`, `times` and `way`.
        seed: seed of the bootstrap.

    Returns:
        The lines of `evaluate.summary.summary_of`, which say how wide each interval is and over
        what, behind the column `way`.
    """
    lines = lines_of(rows, seed)
    named = rows[["model", "method", WAY]].drop_duplicates()
    merged = lines.merge(named, on=["model", "method"], how="left", validate="many_to_one")
    return merged[[WAY, *lines.columns]]


def totals(summary: pd.DataFrame, hops: str = ALL) -> pd.DataFrame:
    """The lines over all domains, of all questions or of those with so many hops."""
    whole = (summary["domain"] == ALL) & (summary["topic"] == ALL)
    return summary[whole & (summary["hops"] == hops)]


def hops_of(table: pd.DataFrame) -> list[str]:
    """The numbers of hops that questions have, the most first; only `all` where they have none."""
    known = {str(hops) for hops in table["hops"].dropna()} - {ALL}
    return sorted(known, key=int, reverse=True) or [ALL]

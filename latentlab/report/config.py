"""Write the report: findings, tables, figures and single answers on one page to read.

    python -m latentlab.report
    python -m latentlab.report --results results/paper --figures figures --out report.html
    python -m latentlab.report --model path/to/checkpoint --data path/to/folder

The page is one HTML file that fetches nothing. No model is run for it: what has no results yet is
named on it, together with the command that makes them.
"""

from dataclasses import dataclass
from pathlib import Path

from latentlab.command import RESULTS
from latentlab.errors import UserError

MOST_BYTES = 20_000_000
"""A larger page is remarked upon: it opens slowly and is too much for an e-mail."""


@dataclass(frozen=True, kw_only=True)
class ReportConfig:
    """Flags of `python -m latentlab.report`."""

    model: tuple[str, ...] = ()
    """Models that the results are of, where they are not the embedded ones."""

    data: str | None = None
    """Data that they were asked, where it is not the diagnostic benchmark."""

    results: Path = RESULTS / "paper"
    """Folder that holds one results folder for each study."""

    figures: Path = Path("figures")
    """Folder that latentlab.figures made."""

    out: Path = Path("report.html")
    """File to write."""

    limit: int = 200
    """Number of single answers to show at most."""

    def __post_init__(self) -> None:
        """Refuse a page without answers.

        Raises:
            UserError: the limit is below 1.
        """
        if self.limit < 1:
            raise UserError(f"--limit {self.limit} is too small: it is at least 1")

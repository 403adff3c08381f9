"""Write the report: findings, tables, figures and single answers on one page to read.

    python -m latentlab.report
    python -m latentlab.report --results results/paper --figures figures --out report.html
    python -m latentlab.report --model path/to/checkpoint
    python -m latentlab.report --results results/ablate

The first two tell the studies of the embedded models. The others tell one's own runs, whatever
results folder they are in, and begin with an overview: every question, and how it was answered.

The page is one HTML file that fetches nothing. No model is run for it: what has no results yet is
named on it, together with the command that makes them.
"""

from dataclasses import dataclass
from pathlib import Path

from latentlab.command import RESULTS
from latentlab.errors import UserError

PAPER = RESULTS / "paper"
"""Where results of the studies of the paper are kept."""

FIGURES = Path("figures")
"""Where tables and figures are kept."""

MOST_BYTES = 20_000_000
"""A larger page is remarked upon: it opens slowly and is too much for an e-mail."""


@dataclass(frozen=True, kw_only=True)
class ReportConfig:
    """Flags of `python -m latentlab.report`."""

    model: tuple[str, ...] = ()
    """Models whose runs to tell, as they were given to the commands or as rows name them; by
    default the embedded ones."""

    data: str | None = None
    """Data that they were asked, as it was given to the commands; by default whatever it was, of
    the embedded models the diagnostic benchmark."""

    results: Path = PAPER
    """Folder that holds one results folder for each study, or one results folder alone. Runs of
    one's own are also looked for in results/, unless another folder is given."""

    figures: Path = FIGURES
    """Folder that latentlab.figures made. For runs of one's own it is shown where it is named here,
    or tells of their models."""

    out: Path = Path("report.html")
    """File to write."""

    limit: int = 200
    """Number of single answers to show at most."""

    @property
    def places(self) -> tuple[Path, ...]:
        """Where runs of one's own may be."""
        return (PAPER, RESULTS) if self.results == PAPER else (self.results,)

    def __post_init__(self) -> None:
        """Refuse a page without answers.

        Raises:
            UserError: the limit is below 1.
        """
        if self.limit < 1:
            raise UserError(f"--limit {self.limit} is too small: it is at least 1")

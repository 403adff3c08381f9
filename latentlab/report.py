"""Write the report: findings, tables, figures and single answers on one page to read.

    python -m latentlab.report
    python -m latentlab.report --results results/paper --figures figures --out report.html
    python -m latentlab.report --model path/to/checkpoint --data path/to/folder

The page is one HTML file that fetches nothing. No model is run for it: what has no results yet is
named on it, together with the command that makes them.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from latentlab.command import RESULTS, run
from latentlab.errors import UserError

if TYPE_CHECKING:
    from latentlab.paper.experiment import Study

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


def main(config: ReportConfig) -> None:
    """Put the page together out of what is there, and say what is missing."""
    from latentlab.console import show, warn
    from latentlab.paper.experiment import collect, missing
    from latentlab.paper.studies import TRACES
    from latentlab.reporting.gallery import read_gallery
    from latentlab.reporting.page import render
    from latentlab.reporting.runs import told
    from latentlab.reporting.traces import about, viewer_data

    check_out(config.out)
    studies = [study.of(config.model, config.data) for study in all_studies()]
    absent = missing(studies, config.results)
    exhibits = read_gallery(config.figures)
    lacking = [(study.name, study.command_line(config.results)) for study in absent]
    if not exhibits:
        lacking.append(
            ("tables and figures", f"python -m latentlab.figures --out {config.figures}")
        )
    found = collect([study for study in studies if study not in absent], config.results)
    if not found and not exhibits:
        commands = "; ".join(command for _, command in lacking)
        raise UserError(f"no results in {config.results}: run {commands}")
    recorded = found.get(TRACES.name)
    traces = None if recorded is None else viewer_data(recorded, config.limit)
    about_traces = "" if recorded is None else about(recorded)
    page = render(told(found, studies, config.results), exhibits, traces, about_traces, lacking)
    write(page, config.out)
    size = config.out.stat().st_size
    if size > MOST_BYTES:
        warn(f"{config.out} has {size / 1e6:.0f} MB; a lower --limit makes it smaller")
    answers = 0 if traces is None else len(traces["examples"])
    show(
        f"{config.out} tells {len(found)} studies, {len(exhibits)} tables and figures and "
        f"{answers} single answers ({size / 1e6:.1f} MB)."
    )
    for name, command in lacking:
        show(f"Missing: {name}. {command}")


def all_studies() -> "list[Study]":
    """Every study of `paper.studies`, in the order in which they stand there."""
    from latentlab.paper import studies
    from latentlab.paper.experiment import Study

    return [value for value in vars(studies).values() if isinstance(value, Study)]


def check_out(out: Path) -> None:
    """Refuse to write over a file that is no report of ours.

    Raises:
        UserError: there is such a file or folder.
    """
    from latentlab.reporting.page import GENERATOR

    if out.is_dir():
        raise UserError(f"{out} is a folder: give --out the name of a file")
    if out.exists():
        with out.open("rb") as stream:
            begin = stream.read(1000)
        if GENERATOR.encode() not in begin:
            raise UserError(f"{out} is no report of ours: choose another --out or remove it")


def write(page: str, out: Path) -> None:
    """Write the page complete or not at all.

    Raises:
        UserError: the file cannot be written.
    """
    fresh = out.with_name(f".{out.name}.new")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(page, encoding="utf-8", newline="\n")
        fresh.replace(out)
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror}") from error


if __name__ == "__main__":
    sys.exit(run(ReportConfig, main, "report"))

"""Puts the page together out of what is there, and says what is missing."""

from pathlib import Path

from latentlab.console import show, warn
from latentlab.errors import UserError
from latentlab.figures import studies
from latentlab.figures.experiment import Study, collect, missing
from latentlab.figures.studies import TRACES
from latentlab.files import held, write_text
from latentlab.files import told as told_of
from latentlab.report.config import MOST_BYTES, ReportConfig
from latentlab.report.gallery import read_gallery
from latentlab.report.page import GENERATOR, render
from latentlab.report.runs import told
from latentlab.report.traces import about, viewer_data


def main(config: ReportConfig) -> None:
    """Put the page together out of what is there, and say what is missing."""
    check_out(config.out)
    with held(config.out):
        _report(config)


def _report(config: ReportConfig) -> None:
    """The same, with a place that this run has to itself."""
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


def all_studies() -> list[Study]:
    """Every study of `paper.studies`, in the order in which they stand there."""
    return [value for value in vars(studies).values() if isinstance(value, Study)]


def check_out(out: Path) -> None:
    """Refuse to write over a file that is no report of ours.

    Raises:
        UserError: there is such a file or folder.
    """
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
    with told_of(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    write_text(out, page)

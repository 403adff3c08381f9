"""Puts the page together out of what is there, and says what is missing."""

from dataclasses import dataclass
from pathlib import Path

from latentlab.console import show, warn
from latentlab.errors import UserError
from latentlab.figures import studies
from latentlab.figures.experiment import Study, collect, missing
from latentlab.figures.studies import TRACES
from latentlab.files import held, write_text
from latentlab.files import told as told_of
from latentlab.report.config import MOST_BYTES, ReportConfig
from latentlab.report.gallery import Exhibit, read_gallery
from latentlab.report.overview import overview_data
from latentlab.report.overview_page import own_page
from latentlab.report.overview_runs import OwnRun, is_run, own_runs
from latentlab.report.page import GENERATOR, render
from latentlab.report.runs import ToldStudy, told
from latentlab.report.traces import about, viewer_data
from latentlab.study.results import Results


def main(config: ReportConfig) -> None:
    """Put the page together out of what is there, and say what is missing."""
    check_out(config.out)
    with held(config.out):
        _report(config)


def _report(config: ReportConfig) -> None:
    """The same, with a place that this run has to itself."""
    parts = of_own(config) if is_own(config) else of_studies(config)
    recorded = parts.recorded
    traces = None if recorded is None else viewer_data(recorded, config.limit)
    about_traces = "" if recorded is None else about(recorded)
    overview = overview_data(parts.own, traces)
    page = render(parts.told, parts.exhibits, traces, about_traces, parts.lacking, overview)
    write(page, config.out)
    size = config.out.stat().st_size
    if size > MOST_BYTES:
        warn(f"{config.out} has {size / 1e6:.0f} MB; a lower --limit makes it smaller")
    answers = 0 if traces is None else len(traces["examples"])
    show(
        f"{config.out} tells {len(parts.told)} {parts.kind}, {len(parts.exhibits)} tables and "
        f"figures and {answers} single answers ({size / 1e6:.1f} MB)."
    )
    for name, command in parts.lacking:
        show(f"Missing: {name}. {command}")


@dataclass(frozen=True)
class Parts:
    """What a page is made of."""

    kind: str
    """What the told runs are called."""

    told: list[ToldStudy]
    """What was run, in the order of the page."""

    exhibits: list[Exhibit]
    """Tables and figures."""

    lacking: list[tuple[str, str]]
    """Parts without results, each with the command that makes them."""

    recorded: Results | None
    """The answers that the viewer shows."""

    own: tuple[OwnRun, ...] = ()
    """Runs that the overview is about."""


def is_own(config: ReportConfig) -> bool:
    """Whether the page tells one's own runs: where it is told to, or nothing else is there."""
    if config.model or is_run(config.results):
        return True
    studies = all_studies()
    if len(missing(studies, config.results)) < len(studies) or read_gallery(config.figures):
        return False
    return bool(own_runs(config.places, (), config.data))


def of_own(config: ReportConfig) -> Parts:
    """The parts of a page about one's own runs."""
    page = own_page(config)
    told = [run.told for run in page.runs]
    recorded = None if page.recorded is None else page.recorded.results
    return Parts("runs", told, page.exhibits, page.lacking, recorded, tuple(page.runs))


def of_studies(config: ReportConfig) -> Parts:
    """The parts of the page about the embedded models, or about others on the same studies."""
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
    runs = told(found, studies, config.results)
    return Parts("studies", runs, exhibits, lacking, found.get(TRACES.name))


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

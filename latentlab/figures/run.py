"""Makes what can be made of the results at hand, and says what is missing."""

from latentlab.console import show
from latentlab.errors import UserError
from latentlab.figures.artifacts import put, write
from latentlab.figures.attempts import again, asked, make, run_studies
from latentlab.figures.config import BIBLIOGRAPHY, EXPERIMENTS, INDEX, FiguresConfig
from latentlab.figures.experiment import find_experiments, missing
from latentlab.figures.index import entry, update
from latentlab.files import check_folder, held


def main(config: FiguresConfig) -> None:
    """Make what can be made, and say what is missing."""
    with held(config.out):
        check_folder(config.out)
        _make(config)


def _make(config: FiguresConfig) -> None:
    """The same, in a folder that this run has to itself."""
    experiments = asked(find_experiments(EXPERIMENTS, config.names), config)
    absent = missing((s for made in experiments for s in made.studies), config.results)
    reasons = run_studies(absent, config.results, config.processes) if config.run else {}
    without = set(reasons) if config.run else {study.name for study in absent}
    ready = [made for made in experiments if not without & {s.name for s in made.studies}]
    if not ready:
        if reasons:
            why = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
            raise UserError(f"nothing can be made: {why}")
        raise UserError(f"no results in {config.results}: run {again(config)}")
    entries, undrawn = [], {}
    for made in ready:
        artifact = make(made, config.results)
        if isinstance(artifact, str):
            undrawn[made.name] = artifact
            continue
        write(artifact, made.name, config.out)
        entries.append(entry(artifact, made.name, made.title, made.part))
    published = EXPERIMENTS / BIBLIOGRAPHY
    if published.is_file():
        put(config.out / BIBLIOGRAPHY, published.read_bytes())
    update(entries, config.out)
    show(f"{len(entries)} tables and figures are in {config.out}; {INDEX} shows them all.")
    for made in experiments:
        for study in [s for s in made.studies if s.name in without][:1]:
            lacking = f"Missing: {study.command_line(config.results)}"
            why = f"{study.name}: {reasons[study.name]}" if study.name in reasons else lacking
            show(f"Not made: {made.name}. {why}")
        if made.name in undrawn:
            show(f"Not made: {made.name}. {undrawn[made.name]}")
    if without and not config.run:
        show(f"All that is missing: {again(config)}")

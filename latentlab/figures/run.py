"""Makes what can be made of the results at hand, and says what is missing."""

from dataclasses import replace

from matplotlib import pyplot as plt

from latentlab.console import note, show
from latentlab.errors import UserError
from latentlab.figures.artifacts import put, write
from latentlab.figures.config import BIBLIOGRAPHY, EXPERIMENTS, INDEX, FiguresConfig
from latentlab.figures.experiment import collect, find_experiments, missing
from latentlab.figures.index import entry, update
from latentlab.figures.style import RC
from latentlab.files import held, make_ready


def main(config: FiguresConfig) -> None:
    """Make what can be made, and say what is missing."""
    with held(config.out):
        make_ready(config.out)
        _make(config)


def _make(config: FiguresConfig) -> None:
    """The same, in a folder that this run has to itself."""
    experiments = [
        replace(made, studies=tuple(s.of(config.model, config.data) for s in made.studies))
        for made in find_experiments(EXPERIMENTS, config.names)
    ]
    absent = missing((s for made in experiments for s in made.studies), config.results)
    if config.run:
        for i, study in enumerate(absent):
            note(f"study {i + 1} of {len(absent)}: {study.command_line(config.results)}")
            study.run(config.results)
        absent = []
    without = {study.name for study in absent}
    ready = [made for made in experiments if not without & {s.name for s in made.studies}]
    if not ready:
        commands = "; ".join(study.command_line(config.results) for study in absent)
        raise UserError(f"no results in {config.results}: run {commands}, or add --run")
    entries = []
    for made in ready:
        found = collect(made.studies, config.results)
        with plt.rc_context(RC):
            artifact = made.make(found)
        write(artifact, made.name, config.out)
        entries.append(entry(artifact, made.name, made.title, made.part))
    published = EXPERIMENTS / BIBLIOGRAPHY
    if published.is_file():
        put(config.out / BIBLIOGRAPHY, published.read_bytes())
    update(entries, config.out)
    show(f"{len(ready)} tables and figures are in {config.out}; {INDEX} shows them all.")
    for made in experiments:
        lacking = [s for s in made.studies if s.name in without]
        for study in lacking[:1]:
            show(f"Not made: {made.name}. Missing: {study.command_line(config.results)}")

"""Makes what can be made of the results at hand, and says what is missing."""

from dataclasses import replace
from pathlib import Path

from matplotlib import pyplot as plt

from latentlab.console import note, show
from latentlab.errors import UserError
from latentlab.figures.artifacts import write
from latentlab.figures.config import EXPERIMENTS, INDEX, FiguresConfig
from latentlab.figures.experiment import collect, find_experiments, missing
from latentlab.figures.style import RC
from latentlab.files import check_folder, held, write_text


def main(config: FiguresConfig) -> None:
    """Make what can be made, and say what is missing."""
    with held(config.out):
        check_folder(config.out)
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
    for made in ready:
        found = collect(made.studies, config.results)
        with plt.rc_context(RC):
            artifact = made.make(found)
        write(artifact, made.name, config.out)
    page({made.name: made.title for made in find_experiments(EXPERIMENTS)}, config.out)
    show(f"{len(ready)} tables and figures are in {config.out}; {INDEX} shows them all.")
    for made in experiments:
        lacking = [s for s in made.studies if s.name in without]
        for study in lacking[:1]:
            show(f"Not made: {made.name}. Missing: {study.command_line(config.results)}")


def page(titles: dict[str, str], folder: Path) -> None:
    """Write the index page: every table and figure that is in the folder, with its caption.

    Args:
        titles: titles of all experiments by name, in the order of the page.
        folder: where tables and figures are, those made earlier among them.
    """
    parts = [
        "# Tables and figures\n",
        "Made by `python -m latentlab.figures`, each by the file of its name in `experiments/`. "
        "Beside every figure lies a CSV file with exactly the numbers drawn.\n",
    ]
    for name, title in titles.items():
        picture, table, caption = (folder / f"{name}{end}" for end in (".png", ".md", ".txt"))
        if caption.is_file():
            drawn = picture.is_file()
            shown = f"![{title}]({name}.png)\n" if drawn else table.read_text(encoding="utf-8")
            heading = f"## {name.replace('_', ' ')}\n\n{title}\n"
            parts += [heading, shown, caption.read_text(encoding="utf-8")]
    write_text(folder / INDEX, "\n".join(parts))

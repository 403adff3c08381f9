"""Make the tables and figures of the papers from results on disk.

    python -m latentlab.figures                        all of them, as far as results are there
    python -m latentlab.figures --run                  run the missing studies first
    python -m latentlab.figures ablation_knockouts --model path/to/checkpoint --run

One file in `experiments/` makes one table or figure. No model runs unless --run asks for it;
without, what is missing is named together with the command that makes it.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from latentlab.command import RESULTS, run
from latentlab.errors import UserError

EXPERIMENTS = Path(__file__).parent.parent / "experiments"
"""Where the files lie that make one table or figure each."""

INDEX = "README.md"
"""What a folder of figures calls its index page."""


@dataclass(frozen=True, kw_only=True)
class FiguresConfig:
    """Flags of `python -m latentlab.figures`."""

    names: tyro.conf.Positional[tuple[str, ...]] = ()
    """Tables and figures to make; by default all."""

    model: tuple[str, ...] = ()
    """Models to show in place of the embedded ones. Studies of the organisms stay as they are."""

    data: str | None = None
    """Data to ask them, in place of the diagnostic benchmark."""

    results: Path = RESULTS / "paper"
    """Folder that holds one results folder for each study."""

    out: Path = Path("figures")
    """Folder of the tables and figures, with an index page."""

    run: bool = False
    """Run the studies whose results are missing."""


def main(config: FiguresConfig) -> None:
    """Make what can be made, and say what is missing."""
    from dataclasses import replace

    from matplotlib import pyplot as plt

    from latentlab.console import note, show
    from latentlab.paper.artifacts import write
    from latentlab.paper.experiment import collect, find_experiments, missing
    from latentlab.paper.style import RC

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
    (folder / INDEX).write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(run(FiguresConfig, main, "figures"))

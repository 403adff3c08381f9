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
from typing import TYPE_CHECKING

import tyro

from latentlab.command import RESULTS, run
from latentlab.errors import UserError

if TYPE_CHECKING:
    from latentlab.paper.experiment import Experiment

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

    from latentlab.console import note, show
    from latentlab.paper.artifacts import write
    from latentlab.paper.experiment import collect, find_experiments, missing

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
    captions = {}
    for made in ready:
        found = collect(made.studies, config.results)
        artifact = made.make(found)
        write(artifact, made.name, config.out)
        captions[made.name] = artifact.caption
    page(ready, captions, config.out)
    show(f"{len(ready)} tables and figures are in {config.out}; {INDEX} shows them all.")
    for made in experiments:
        lacking = [s for s in made.studies if s.name in without]
        for study in lacking[:1]:
            show(f"Not made: {made.name}. Missing: {study.command_line(config.results)}")


def page(experiments: "list[Experiment]", captions: dict[str, str], folder: Path) -> None:
    """Write the index page: every table and figure with its caption."""
    parts = [
        "# Tables and figures\n",
        "Made by `python -m latentlab.figures`, each by the file of its name in `experiments/`. "
        "Beside every figure lies a CSV file with exactly the numbers drawn.\n",
    ]
    for made in experiments:
        parts.append(f"## {made.name.replace('_', ' ')}\n\n{made.title}\n")
        table = folder / f"{made.name}.md"
        drawn = (folder / f"{made.name}.png").is_file()
        parts.append(
            f"![{made.title}]({made.name}.png)\n" if drawn else table.read_text(encoding="utf-8")
        )
        parts.append(f"{captions[made.name]}\n")
    (folder / INDEX).write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(run(FiguresConfig, main, "figures"))

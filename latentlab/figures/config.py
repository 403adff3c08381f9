"""Make the tables and figures of the papers from results on disk.

    python -m latentlab.figures                        all of them, as far as results are there
    python -m latentlab.figures --run                  run the missing studies first
    python -m latentlab.figures knockouts --model path/to/checkpoint --run

One file in `experiments/` makes one table or figure. No model runs unless --run asks for it;
without, what is missing is named together with the command that makes it.
"""

from dataclasses import dataclass
from pathlib import Path

import tyro

from latentlab.command import RESULTS
from latentlab.errors import UserError
from latentlab.processes.group import check_count

_INSTALLED = Path(__file__).parent / "_experiments"

EXPERIMENTS = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[2] / "experiments"
"""Where the files lie that make one table or figure each: at the top of a checkout, and in a wheel
where `setup.py` puts them."""

INDEX = "README.md"
"""What a folder of figures calls its index page."""

BIBLIOGRAPHY = "published.bib"
"""References of published numbers: kept beside the experiments, copied beside the tables."""

ORDER = (
    "benchmark", "calibration", "main_table", "compared", "cost", "knockouts", "knockouts_table",
    "necessity", "evidence", "counterfactual", "interchange", "which_words", "mediation",
    "probe_grid", "retrained_arms", "organisms", "curves", "trainings", "seeds",
    "seed_readings",
    "replacements", "noise", "topics", "rationales", "imagined", "steps", "patches",
    "patches_trained", "mediation_totals", "mediation_steps", "latents_moved", "lens_grid",
    "similarity", "patching_grid", "attention_knockouts", "attribution", "answer_attention",
    "attention", "attention_runs", "attention_maps",
)  # fmt: skip
"""The order of the page in each set: from the question to what was found, then how sure it is."""


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

    processes: int = 1
    """Studies that run at a time, each in a process of its own."""

    def __post_init__(self) -> None:
        """Refuse numbers of processes that cannot be meant."""
        if self.processes < 1:
            raise UserError(f"--processes {self.processes} is too small: at least 1")
        check_count(self.processes)

"""Runs and draws what can be run and drawn, and remembers why the rest could not.

One's own models and data have not what every study asks for: traces, a rationale, pictures of one
size. What lacks something is left out and told; everything else is made.
"""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from matplotlib import pyplot as plt

from latentlab.console import note, warn
from latentlab.errors import UserError
from latentlab.figures.artifacts import Drawing, Table
from latentlab.figures.config import FiguresConfig
from latentlab.figures.experiment import Experiment, Study, collect
from latentlab.figures.style import RC


def asked(found: Iterable[Experiment], config: FiguresConfig) -> list[Experiment]:
    """The experiments that flags ask for, with the user's models and data in their studies.

    Of one's own models those are left out that are about the embedded ones alone, unless named.
    """
    own = bool(config.model or config.data)
    kept = []
    for made in found:
        about = [study for study in made.studies if study.subject]
        if about or not own or config.names:
            of = tuple(study.of(config.model, config.data) for study in made.studies)
            kept.append(replace(made, studies=of))
    return kept


def run_studies(studies: Sequence[Study], results: Path) -> dict[str, str]:
    """Run studies one after another.

    Returns:
        Why studies could not be run, by their names.
    """
    reasons = {}
    for i, study in enumerate(studies):
        note(f"study {i + 1} of {len(studies)}: {study.command_line(results)}")
        try:
            study.run(results)
        except UserError as error:
            reasons[study.name] = str(error)
            warn(f"{study.name} is left out: {error}")
    return reasons


def make(made: Experiment, results: Path) -> Drawing | Table | str:
    """One table or figure, or why there is nothing to draw.

    Raises:
        UserError: results do not fit together.
    """
    found = collect(made.studies, results)
    absent = [name for name, result in found.items() if result.summary.empty]
    if absent:
        return f"{absent[0]} has no lines"
    with plt.rc_context(RC):
        try:
            return made.make(found)
        except UserError as error:
            return str(error)


def again(config: FiguresConfig) -> str:
    """The command that runs what is missing, with the flags that were given."""
    plain, words = FiguresConfig(), ["python", "-m", "latentlab.figures", *config.names]
    for flag in ("model", "data", "results", "out"):
        value = getattr(config, flag)
        if value != getattr(plain, flag):
            words += [f"--{flag}", *(map(str, value) if flag == "model" else [str(value)])]
    return shlex.join([*words, "--run"])

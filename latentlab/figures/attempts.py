"""Runs and draws what can be run and drawn, and remembers why the rest could not.

One's own models and data have not what every study asks for: traces, a rationale, pictures of one
size. What lacks something is left out and told; everything else is made.
"""

import os
import shlex
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread

from matplotlib import pyplot as plt

from latentlab.console import hush, note, warn
from latentlab.errors import UserError
from latentlab.figures.artifacts import Drawing, Table
from latentlab.figures.config import FiguresConfig
from latentlab.figures.experiment import Experiment, Study, collect
from latentlab.figures.style import RC
from latentlab.processes.spawn import threads_divided


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


def run_studies(studies: Sequence[Study], results: Path, processes: int = 1) -> dict[str, str]:
    """Run studies, as many at a time as there are processes.

    Returns:
        Why studies could not be run, by their names.
    """
    reasons = {}
    for study, reason in _outcomes(studies, results, min(processes, len(studies))):
        if reason is not None:
            reasons[study.name] = reason
            warn(f"{study.name} is left out: {reason}")
    return reasons


def _outcomes(
    studies: Sequence[Study], results: Path, processes: int
) -> Iterator[tuple[Study, str | None]]:
    """Each study once it has run, with why it could not be."""
    if processes < 2:
        for i, study in enumerate(studies):
            note(f"study {i + 1} of {len(studies)}: {study.command_line(results)}")
            yield study, _outcome(study, results)
        return
    # Processes that are forked would inherit threads that no longer run.
    spawning = get_context("spawn")
    with (
        threads_divided(processes),
        ProcessPoolExecutor(processes, spawning, _begin) as pool,
    ):
        pending = {pool.submit(_outcome, study, results): study for study in studies}
        for i, done in enumerate(as_completed(pending)):
            study = pending[done]
            note(f"study {i + 1} of {len(studies)}: {study.command_line(results)}")
            yield study, done.result()


def _begin() -> None:
    """Begin a process that runs studies: it says nothing, and ends with the one that started it."""
    hush(True)
    parent = parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)  # results that are not whole have a temporary name

    Thread(target=follow, daemon=True).start()


def _outcome(study: Study, results: Path) -> str | None:
    """Run a study; why it could not be run, if it could not."""
    try:
        study.run(results)
    except UserError as error:
        return str(error)
    return None


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

"""Reads files of replies, scores them and writes the results."""

from pathlib import Path

import pandas as pd

from latentlab.console import show, warn
from latentlab.errors import UserError
from latentlab.score.config import ScoreConfig
from latentlab.score.findings import conclusion, show_differences, show_tables
from latentlab.score.predictions import Prediction, read_predictions
from latentlab.score.rows import rows_of
from latentlab.score.scienceqa import read_results
from latentlab.score.summary import summary_of
from latentlab.study.provenance import Start, provenance
from latentlab.study.results import claimed, write_results

_TOLD = 10
"""Lines left out that are named one by one; `run.json` names them all."""


def main(config: ScoreConfig) -> None:
    """Score the files, and say what was found."""
    with claimed(config.out, config, "score"):
        _scored(config)


def _scored(config: ScoreConfig) -> None:
    """The same, in a folder that this run has to itself."""
    started = Start()
    read = {path: _read(config, path) for path in config.predictions}
    left_out = [problem for _, problems in read.values() for problem in problems]
    for problem in left_out[:_TOLD]:
        warn(problem)
    frames = [rows_of(path, found, config.marker) for path, (found, _) in read.items()]
    rows = pd.concat(frames, ignore_index=True)
    summary = summary_of(rows)
    record = provenance(config, "score", 0, {}, started) | {"left_out": left_out}
    out = write_results(config.out, rows, summary, record)
    show_tables(summary)
    show_differences(rows, config.examples)
    for sentence in conclusion(summary, rows):
        show(sentence)
    if left_out:
        show(f"{len(left_out)} lines could not be read and are left out.")
    show(f"Rows, summary and settings are in {out}.")


def _read(config: ScoreConfig, path: Path) -> tuple[list[Prediction], list[str]]:
    """The replies of a file in either layout, and what is wrong with what was left out."""
    if path.suffix != ".json":
        return read_predictions(path, config.strict)
    if config.problems is None:
        raise UserError(f"{path} names indices only: give --problems, ScienceQA's problems.json")
    return read_results(path, config.problems, config.strict)

"""Makes the summaries of results anew out of their rows, by the statistics of today.

    python -m latentlab.study.renew results/ablate results/paper/*

Rows are what was measured; a summary is made of rows and a seed alone, so a better interval needs
no model to be run again. Rows and `run.json` stay as they are, the record of who measured them.
"""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

import pandas as pd

from latentlab.console import fail, show
from latentlab.errors import UserError
from latentlab.files import held, replacing
from latentlab.study.instrument import instrument, instruments
from latentlab.study.results import SUMMARY, read_results

_SUMMARIES: dict[str, Callable[[pd.DataFrame, int], pd.DataFrame]] = {
    "calibrate": lambda rows, seed: _lines_of("calibrate.verdicts")(rows, seed),
    "score": lambda rows, seed: _lines_of("score.summary")(rows),
    "check": lambda rows, seed: rows.drop(columns="reason"),
}
"""How commands that are no instruments make theirs."""


def renewed(folder: Path) -> pd.DataFrame:
    """The summary of a results folder as the present code makes it of its rows.

    Raises:
        UserError: it is no results folder, or of a command that makes no summary of rows.
    """
    results = read_results(folder)
    command, seed = results.run["command"], int(results.run["seed"])
    if command in instruments():
        return instrument(command).summary(results.rows, seed)
    if command not in _SUMMARIES:
        raise UserError(f"{folder} holds results of {command}, whose summary is not made of rows")
    return _SUMMARIES[command](results.rows, seed)


def renew(folder: Path) -> bool:
    """Write the summary of a results folder anew.

    Returns:
        Whether it changed.

    Raises:
        UserError: as `renewed`, or it cannot be written.
    """
    with held(folder):
        before = (folder / SUMMARY).read_bytes() if (folder / SUMMARY).is_file() else b""
        summary = renewed(folder)
        with replacing(folder / SUMMARY) as fresh:
            summary.to_csv(fresh, index=False)
        return (folder / SUMMARY).read_bytes() != before


def _lines_of(module: str) -> Callable[..., pd.DataFrame]:
    """The `summary_of` of a command; commands lie above this floor."""
    found: Callable[..., pd.DataFrame] = import_module(f"latentlab.{module}").summary_of
    return found


def main(folders: Sequence[str]) -> int:
    """Renew folders one by one; 2 where one cannot be."""
    if not folders:
        fail("name the results folders whose summaries are to be made anew")
        return 2
    code = 0
    for name in folders:
        try:
            changed = renew(Path(name))
            show(f"{name}: {'made anew' if changed else 'as it was'}")
        except UserError as error:
            fail(str(error))
            code = 2
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

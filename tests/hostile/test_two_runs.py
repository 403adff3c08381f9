"""Two runs into one folder: one of them is told, and no result is lost."""

import multiprocessing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from latentlab.errors import UserError
from latentlab.study.provenance import provenance
from latentlab.study.results import check_out, read_results, write_results


@dataclass(frozen=True)
class Config:
    seed: int


def run(out: Path, seed: int, meeting) -> int:
    """Begin together, write together; the seed of the rows that were written, or -1."""
    config = Config(seed)
    check_out(out, config, "evaluate")
    meeting.wait(60)
    record = provenance(config, "evaluate", seed, {}, datetime.now(UTC))
    rows = pd.DataFrame({"seed": [seed]})
    try:
        write_results(out, rows, rows, record)
    except UserError as error:
        assert "holds results of evaluate with other settings (seed)" in str(error)
        return -1
    return seed


def tell(out, seed, meeting, told):
    told.put(run(out, seed, meeting))


def test_of_two_runs_with_other_seeds_one_is_told(tmp_path):
    context = multiprocessing.get_context("fork")
    meeting, told = context.Barrier(2), context.Queue()
    out = tmp_path / "results" / "evaluate"
    runs = [context.Process(target=tell, args=(out, seed, meeting, told)) for seed in (1, 2)]
    for one in runs:
        one.start()
    outcomes = [told.get(timeout=120) for _ in runs]
    for one in runs:
        one.join(60)
    (written,) = [outcome for outcome in outcomes if outcome != -1]
    assert read_results(out).run["seed"] == written
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["evaluate"]

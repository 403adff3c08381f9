"""Summaries out of rows, by the code of today."""

from pathlib import Path

import pandas as pd
import pytest

from latentlab.errors import UserError
from latentlab.study.renew import main, renewed
from latentlab.study.results import read_results


def test_a_summary_is_made_of_its_rows_alone(commanded):
    code, streams = commanded("evaluate")(
        "--model", "cot", "--limit", "6", "--max-new-tokens", "4", "--out", "out"
    )
    assert code == 0, streams.err
    folder = Path("out")
    whole, rows = (folder / "summary.csv").read_bytes(), (folder / "rows.parquet").read_bytes()
    (folder / "summary.csv").write_text("n,accuracy\n6,0.5\n")
    assert main(["out"]) == 0
    assert (folder / "summary.csv").read_bytes() == whole
    assert (folder / "rows.parquet").read_bytes() == rows
    pd.testing.assert_frame_equal(renewed(folder)[["n"]], read_results(folder).summary[["n"]])


def test_what_holds_no_rows_is_told_in_a_line(tmp_path, capsys):
    assert main([str(tmp_path / "nowhere")]) == main([]) == 2
    assert capsys.readouterr().err.count("\n") == 2
    with pytest.raises(UserError, match="no complete results folder"):
        renewed(tmp_path)

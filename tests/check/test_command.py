"""`python -m latentlab.check`: a table of what holds, results, and an exit code that tells."""

import json
from pathlib import Path

import pandas as pd
import pytest

from latentlab import checkpoint
from latentlab.check import checks
from latentlab.check.checks import CHECKS, HOLDS, Check, check
from tests.tiny.families import TINY


@pytest.fixture
def run(commanded):
    return commanded("check", "--device", "cpu")


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    """A checkpoint of a family, without a latent plan."""
    folder = tmp_path_factory.mktemp("models") / "plain"
    checkpoint.save(TINY["qwen3_vl"](), folder)
    (folder / checkpoint.PLAN_FILE).unlink()
    return folder


def test_a_plain_checkpoint_is_checked_and_the_results_are_kept(run, saved):
    code, streams = run(str(saved), "--out", "found")
    assert code == 0, streams
    assert f"{saved}: {len(CHECKS)} of {len(CHECKS)} checks hold." in streams.out
    rows = pd.read_parquet("found/rows.parquet")
    assert rows["check"].tolist() == list(CHECKS)
    assert (rows["difference"] <= rows["tolerance"]).all()
    assert set(rows["family"]) == {"qwen3_vl"}
    record = json.loads(Path("found/run.json").read_text())
    assert record["command"] == "check"
    assert list(record["checkpoints"]) == [str(saved)]


@pytest.mark.slow
@pytest.mark.parametrize("name", checkpoint.zoo_names())
def test_all_holds_of_the_embedded_models(name):
    """Trained models attend more sharply than tiny random ones, which rounding feels."""
    rows = check(checkpoint.load(name, device="cpu"))
    assert rows[rows["verdict"] != HOLDS].empty


def test_what_does_not_hold_is_told_and_shows_in_the_exit_code(run, monkeypatch):
    wrong = Check("itself", lambda material: 0.25, 0.0)
    monkeypatch.setitem(checks.CHECKS, "padded", wrong)
    code, streams = run("relay", "--only", "text", "padded")
    assert code == 1
    assert "relay: 1 of 2 checks hold." in streams.out
    assert "relay: padded differs: 0.25 is more than 0" in streams.out


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["ivtlrr"], "no model or folder is called 'ivtlrr'"),
        (["relay", "relay"], "one model is named twice: relay relay"),
        (["relay", "--only", "cashed"], "--only cashed: no such check; did you mean 'cached'?"),
        (["relay", "--seed", "-1"], "--seed -1 is too small"),
    ],
)
def test_what_cannot_be_meant_is_one_line(flags, told, run, refused):
    assert told in refused(run(*flags))

"""The command from flags to files: what it refuses, what it passes over, what it leaves behind."""

import json
from pathlib import Path

import pandas as pd
import pytest

from latentlab.data import export, load_data
from latentlab.errors import UserError
from latentlab.probe.config import ProbeConfig
from latentlab.study.results import read_results


@pytest.fixture
def probe(commanded):
    return commanded("probe")


def test_flags_that_cannot_be_meant_are_refused():
    for flags, named in (
        ({"limit": 5}, "--limit"),
        ({"layer": (1, 1)}, "--layer"),
        ({"shuffles": 0}, "--shuffles"),
    ):
        with pytest.raises(UserError, match=f"^{named}"):
            ProbeConfig(**flags)


def test_one_run_leaves_rows_a_summary_and_sentences(probe):
    flags = ["--model", "cot", "ivtlr", "filler", "--limit", "30", "--shuffles", "3"]
    code, streams = probe(*flags)
    assert code == 0, streams.err
    assert "cot takes no latent steps, so there is nothing to probe; passed over" in streams.err
    assert [line.split(":")[0] for line in streams.out.splitlines()[-3:-1]] == ["ivtlr", "filler"]
    assert streams.out.splitlines()[-1] == "Rows, summary and settings are in results/probe."
    results = read_results(Path("results/probe"))
    rows, summary = results.rows, results.summary
    assert set(rows["model"]) == {"ivtlr", "filler"}
    assert set(rows["kind"]) == {"probe", "left alone", "latent-only", "similarity", "rank"}
    probes = rows[rows["kind"] == "probe"]
    cell = ["model", "place", "step", "layer", "target"]
    # The same examples in every cell.
    assert not probes.duplicated([*cell, "example"]).any()
    assert (probes.groupby(cell)["example"].nunique() == 30).all()
    assert {f"object {hop}" for hop in range(5)} <= set(probes["target"])
    lines = summary[summary["kind"] == "probe"]
    assert len(lines) == probes.groupby(cell).ngroups
    assert (lines["n"] == 30).all()
    for name in ("value", "control", "selectivity"):
        assert (lines[f"{name}_low"] <= lines[name]).all()
        assert (lines[name] <= lines[f"{name}_high"]).all()
    # Each cell has several shuffles; their share is the control, and their mean that of the line.
    shuffles = probes[["control_1", "control_2", "control_3"]].astype(float)
    assert "control_4" not in rows
    assert probes["control"].to_numpy() == pytest.approx(shuffles.mean(axis=1), abs=1e-6)
    assert (lines["shuffles"] == 3).all() and lines["control_spread"].notna().all()
    means = probes.groupby(cell, sort=False, observed=True)["control"].mean()
    found = lines.set_index(cell)["control"].reindex(means.index)
    assert found.to_numpy() == pytest.approx(means.to_numpy(), abs=1e-6)
    assert set(summary["kind"]) == {*rows["kind"], "gap"}
    assert not summary[["value", "value_low", "value_high", "n"]].isna().any().any()
    # What filler is fed is one vector: its cosines are 1, its rank is 1.
    constant = summary[(summary["model"] == "filler") & (summary["place"] == "latent_text")]
    cosine = constant[constant["target"] == "inter-example cosine, raw"]
    assert cosine["value"].tolist() == pytest.approx([1] * 4)
    rank = constant[constant["target"] == "effective rank, raw"]
    assert rank["value"].tolist() == pytest.approx([1] * 4)
    # Its slots are empty anyway: emptying them changes nothing.
    alone = summary[(summary["model"] == "filler") & (summary["kind"] == "latent-only")]
    assert (alone["selectivity"] == 0).all()
    assert len(json.loads(Path("results/probe/run.json").read_text())["checkpoints"]) == 3
    # The same settings give the same rows.
    assert probe(*flags)[0] == 0
    pd.testing.assert_frame_equal(read_results(Path("results/probe")).rows, rows)


def test_models_without_latent_steps_are_refused(probe, refused):
    assert "cot takes no latent steps" in refused(probe("--model", "cot"))
    code, streams = probe("--model", "cot", "no_cot")
    assert code == 2 and streams.out == ""
    assert "fit none of the models" in streams.err.splitlines()[-1]
    assert not list(Path("results").glob("*"))


def test_what_would_go_wrong_later_is_refused_before_the_work(probe, refused, monkeypatch):
    monkeypatch.setattr("latentlab.probe.rows.collect", lambda *_, **__: pytest.fail("too late"))
    assert "ivtlr has layers 0 to 1" in refused(probe("--model", "ivtlr", "--layer", "2"))
    few = "benchmark:size=10"
    assert "has 10 examples; probes need 20" in refused(probe("--model", "ivtlr", "--data", few))


def test_data_without_traces_are_probed_for_what_comes_back(probe, refused):
    folder = export(load_data("benchmark", limit=24), Path("mine"))
    records = [json.loads(line) for line in (folder / "data.jsonl").read_text().splitlines()]
    bare = [{k: v for k, v in record.items() if k not in ("trace", "hops")} for record in records]
    (folder / "data.jsonl").write_text("\n".join(json.dumps(record) for record in bare))
    assert "no trace" in refused(probe("--data", "mine", "--model", "gaze"))
    code, streams = probe("--data", "mine", "--model", "ivtlr")
    assert code == 0, streams.err
    assert "mine has no traces of what each hop is about; probed: option, domain" in streams.err
    assert "Off its last latent probes read the option in" in streams.out
    assert set(read_results(Path("results/probe")).rows["target"]) >= {"option", "domain"}

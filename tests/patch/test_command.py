"""The command from flags to files."""

import dataclasses
import re

import pandas as pd
import pytest

from latentlab.data import export, load_data
from latentlab.errors import UserError
from latentlab.patch.config import PatchConfig
from latentlab.patch.summary import summary_of
from latentlab.study.results import read_results

NUMBERS = ["clean", "corrupt", "patched"]


@pytest.fixture
def patch(commanded):
    return commanded("patch")


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ({"component": (), "knockout": ()}, "--component and --knockout"),
        ({"mode": ()}, "--mode"),
        ({"mode": ("restore", "restore")}, "--mode"),
        ({"window": -1}, "--window"),
        ({"window": 2, "knockout": ()}, "--window"),
    ],
)
def test_flags_that_contradict_each_other_are_refused(flags, named):
    with pytest.raises(UserError, match=f"^{named}"):
        PatchConfig(**flags)


def test_a_run_leaves_equal_cells_and_says_what_it_found(patch, tmp_path):
    code, streams = patch("--model", "ivtlr", "relay", "--limit", "6", "--window", "1")
    assert code == 0, streams.err
    results = read_results(tmp_path / "results" / "patch")
    assert (results.summary["n"] == 6).all()
    assert (results.summary["p_holm"] >= results.summary["p_mcnemar"]).all()
    grid = results.summary[results.summary["mode"] == "restore"]
    assert (grid[grid["slot"] == "sham"]["indirect_effect"] == 0).all()
    cut = results.summary[results.summary["mode"] == "knock-out"]
    assert cut[cut["model"] == "relay"]["layers"].value_counts().to_dict() == {1: 24, 2: 12}
    assert "disturbs" not in streams.out
    assert re.search(r"Clean and corrupt answers lie .* nats \[.*\] apart", streams.out)


def test_parts_can_be_left_out_and_heads_asked_for(patch, tmp_path):
    flags = ("--limit", "3", "--mode", "restore", "corrupt")
    code, streams = patch("--model", "relay", *flags, "--heads", "--component", "--knockout")
    assert code == 0, streams.err
    rows = read_results(tmp_path / "results" / "patch").rows
    assert set(rows["mode"]) == {"restore", "corrupt"}
    assert set(rows["component"]) == {"z", "all"}
    assert set(rows["head"].dropna()) == {0, 1}


def test_a_model_without_latents_has_its_prompt_and_answer(patch, tmp_path):
    code, streams = patch("--model", "no_cot", "--limit", "3")
    assert code == 0, streams.err
    assert "--knockout answer-latent latent-image latent-prompt latent-earlier" in streams.err
    slots = set(read_results(tmp_path / "results" / "patch").rows["slot"])
    assert {"prompt end", "answer", "answer -/-> image"} <= slots
    assert not any("text" in slot or "vision" in slot for slot in slots)
    only = ("--component", "--knockout", "answer-latent", "--out", "elsewhere")
    code, streams = patch("--model", "no_cot", *only)
    assert code == 2
    assert streams.err == "error: --knockout answer-latent: no_cot has no such positions\n"


def test_data_without_traces_is_paired_with_other_examples(patch, tmp_path):
    bare = [dataclasses.replace(e, trace=None) for e in load_data("benchmark", limit=9)]
    export(bare, tmp_path / "mine")
    code, streams = patch("--model", "ivtlr", "--data", str(tmp_path / "mine"))
    assert code == 0, streams.err
    assert "Pairs: unrelated." in streams.out
    flags = ("--data", str(tmp_path / "mine"), "--pair", "same_image", "--out", "elsewhere")
    code, streams = patch("--model", "ivtlr", *flags)
    assert code == 2
    assert streams.err.startswith("error: --pair same_image needs traces")


@pytest.mark.parametrize("pair", ["same_image", "same_question"])
def test_batch_size_does_not_change_rows(planned, measured, pair):
    reasoner = planned("ivtlr")
    data = load_data("benchmark:hops=1+4", limit=5)
    one, many = (
        measured(
            "patch",
            PatchConfig(
                data="benchmark:hops=1+4", pair=pair, component=("resid_post", "z"), batch_size=size
            ),
            reasoner,
            data,
        )
        for size in (2, 64)
    )
    pd.testing.assert_frame_equal(one.drop(columns=NUMBERS), many.drop(columns=NUMBERS))
    assert (one[NUMBERS] - many[NUMBERS]).abs().max().max() < 1e-4
    assert len(summary_of(one, 0)) == len(one) / 5

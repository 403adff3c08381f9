"""The attention instrument on models of every kind, and the command from flags to files."""

import dataclasses
import re
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from latentlab.attention.config import AttentionConfig
from latentlab.attention.modes import in_words, mode_of, prepare, with_plan
from latentlab.attention.ratios import BUCKETS
from latentlab.attention.steps import step_rows
from latentlab.attention.summary import AFTER, summary_of
from latentlab.data import export, load_data
from latentlab.errors import UserError
from latentlab.reasoning.plan import LatentPlan
from latentlab.study.instrument import Subject
from latentlab.study.results import read_results
from latentlab.training.recipes import PLANS
from latentlab.vocabulary import VisionRun

MASSES = [f"mass:{name}" for name in BUCKETS]
CONFIG = AttentionConfig(model=("tiny",), explicit=())
WORDS = LatentPlan(steps=2, k=0, content="words", part_order="text_vision")


def benchmark(limit=5, spec="benchmark"):
    return load_data(spec, limit=limit)


def values(rows: pd.DataFrame) -> pd.DataFrame:
    """The columns of numbers."""
    return rows.select_dtypes("number").astype(float)


def test_both_families_read_one_row_a_step_whose_masses_sum_to_one(reasoner, examples):
    rows = step_rows(CONFIG, reasoner, examples)
    assert rows["step"].tolist() == [1, 2] * len(examples)
    assert rows["example"].tolist() == [example.id for example in examples for _ in range(2)]
    np.testing.assert_allclose(rows[MASSES].sum(axis=1), 1, atol=1e-5)
    steps = rows.groupby("step").first()
    assert steps["query"].tolist() == [
        "last position of the prompt",
        "last position of latent step 1",
    ]
    # What the first step appended, and it only, is there for the second.
    assert steps["n:reinserted"].tolist() == [0, reasoner.plan.k]
    assert steps["n:latent_text"].tolist() == [0, 1]
    assert rows["ratio:reinserted/text"].isna().equals(rows["step"] == 1)
    # These pictures come without a trace.
    assert rows[["cell_read", "points_at_read", "picked_target"]].isna().all(axis=None)
    assert not summary_of(rows).empty


def test_rows_are_what_the_rollout_captured(qwen):
    (example,) = benchmark(1)
    rows = step_rows(CONFIG, qwen, [example])
    rollout = qwen.rollout(capture_layers=range(qwen.backbone.n_layers))
    state = rollout(qwen.prompter.batch([example], qwen.plan))
    for (_, row), captured, latent in zip(rows.iterrows(), state.rows, state.latents, strict=True):
        mean = captured.mean(dim=(0, 2))
        expected = mean.gather(1, state.patches.index)[0].tolist()
        assert row["patch_attention"] == pytest.approx(expected, rel=1e-5)
        assert len(expected) == row["grid_rows"] * row["grid_columns"]
        assert row["mass:image"] == pytest.approx(sum(expected))
        assert row["keys"] == captured.shape[-1]
        assert row["picks"] == latent.picks[0].tolist()


def test_neither_padding_nor_the_batch_changes_a_row(reasoner, examples):
    together = step_rows(CONFIG, reasoner, examples)
    alone = step_rows(dataclasses.replace(CONFIG, batch_size=1), reasoner, examples)
    assert together["example"].equals(alone["example"])
    np.testing.assert_allclose(values(together), values(alone), rtol=2e-3, atol=1e-5)


def test_layers_and_heads_average_to_the_mean(qwen):
    frames = {
        by: step_rows(dataclasses.replace(CONFIG, by=by), qwen, benchmark(2))
        for by in ("mean", "layer", "head")
    }
    layers, heads = qwen.backbone.n_layers, qwen.backbone.n_heads
    assert len(frames["layer"]) == layers * len(frames["mean"])
    assert len(frames["head"]) == heads * len(frames["layer"])
    key = ["example", "step"]
    mean = frames["mean"].set_index(key)[MASSES].sort_index()
    for by in ("layer", "head"):
        averaged = frames[by].groupby(key)[MASSES].mean().sort_index()
        np.testing.assert_allclose(averaged, mean, atol=1e-6)


def test_the_cell_to_be_read_is_that_of_the_hop_before(qwen):
    data = benchmark(4, "benchmark:hops=1+4")
    rows = step_rows(CONFIG, qwen, data).set_index(["example", "step"])
    for example in data:
        for step in (1, 2):
            row = rows.loc[(example.id, step)]
            if step > example.hops:
                assert pd.isna(row["cell_read"]) and np.isnan(row["points_at_read"])
                continue
            read, target = example.trace.cells[step - 1 : step + 1]
            assert (row["cell_read"], row["cell_target"]) == (read, target)
            order = np.argsort(row["patch_attention"])[::-1]
            assert row["points_at_read"] == (read in order[:2])
            assert row["bottom_at_target"] == (target in order[-2:])
            assert row["picked_target"] == (target in row["picks"])
            assert row["chance"] == row["picked_chance"] == 2 / 16


def test_given_picks_hold_the_target_and_a_hidden_image_has_no_ratio(planned):
    gaze = planned("gaze")
    rows = step_rows(CONFIG, gaze, benchmark())
    assert (rows["picked_target"] == 1).all()
    later = rows[rows["step"] > 1]
    assert (later["n:image"] == 0).all() and (later["mass:image"] == 0).all()
    missing = later[["ratio:image/text", "entropy:image", "points_at_read", "patch_attention"]]
    assert missing.isna().all(axis=None)
    assert later["ratio:reinserted/text"].notna().all()


def test_a_model_without_latents_is_read_at_the_end_of_its_prompt(reasoner, examples):
    plain = with_plan(reasoner, LatentPlan(steps=0, k=0))
    rows = step_rows(CONFIG, plain, examples)
    assert rows["step"].tolist() == [0] * len(examples)
    assert set(rows["mode"]) == {"plain"}
    first = step_rows(CONFIG, reasoner, examples)
    first = first[first["step"] == 1].reset_index(drop=True)
    np.testing.assert_allclose(rows[MASSES], first[MASSES], atol=1e-6)


def test_written_steps_are_read_where_they_begin(qwen, planned):
    (example,) = benchmark(1)
    writer = planned(WORDS)
    rows = step_rows(CONFIG, writer, [example])
    rollout = writer.rollout(capture_layers=range(qwen.backbone.n_layers))
    state = rollout(writer.prompter.batch([example], WORDS))
    assert state.words[0].ended.all()
    assert rows["query"].tolist() == [
        "last position of the prompt",
        "last word of written step 1",
    ]
    assert rows["n:words"].tolist() == [0, state.words[0].ids.shape[1]]
    captured = state.rows[0].mean(dim=(0, 2)).gather(1, state.patches.index)[0].tolist()
    assert rows["patch_attention"].iloc[1] == pytest.approx(captured, rel=1e-5)
    latent = step_rows(CONFIG, qwen, [example])
    assert rows["cell_read"].equals(latent["cell_read"])


def test_an_example_that_answers_early_has_no_further_steps(qwen, planned, monkeypatch):
    writer = planned(WORDS)
    stops = frozenset(range(qwen.backbone.text_config.vocab_size))
    never = dataclasses.replace(qwen.prompter.step_ends, stops=stops)
    monkeypatch.setattr(qwen.prompter, "step_ends", never)
    rows = step_rows(CONFIG, writer, benchmark(3))
    assert rows["step"].tolist() == [1, 1, 1]


def test_text_alone_has_masses_and_no_image(planned, examples):
    unseen = [dataclasses.replace(example, image=None) for example in examples]
    blind = planned(LatentPlan(steps=2, k=0))
    rows = step_rows(CONFIG, blind, [*unseen[:1], *examples[1:]])
    assert pd.isna(rows["grid_rows"].iloc[0]) and rows["patch_attention"].iloc[0] is None
    assert np.isnan(rows["ratio:image/text"].iloc[0])
    np.testing.assert_allclose(rows[MASSES].sum(axis=1), 1, atol=1e-5)


def test_modes_add_random_picks_and_words_of_as_many_steps(planned):
    config = AttentionConfig(model=("ivtlr", "cot"), explicit=("cot",))
    models = {name: planned(name, name) for name in config.model}
    latent, ((words, _),) = (
        prepare(config, Subject(model, benchmark(2), given=name, models=models))
        for name, model in models.items()
    )
    assert [mode_of(*run) for run in latent] == ["latent", "latent, random picks"]
    assert mode_of(words) == "explicit" and words.plan.steps == PLANS["ivtlr"].steps
    with pytest.raises(UserError, match="reasons in latents"):
        in_words(models["ivtlr"], 3)
    with pytest.raises(UserError, match="how many steps"):
        in_words(models["cot"], 0)


def every_run(reasoner, data):
    """Rows of a model under every treatment of its patches, by what becomes of them."""
    config = dataclasses.replace(CONFIG, vision=get_args(VisionRun))
    runs = prepare(config, Subject(reasoner, data))
    return {vision: step_rows(config, one, data, vision) for one, vision in runs}


def test_patches_are_told_from_the_positions_that_they_take(planned):
    """Empty slots keep keys, closed ones and held ones do not, packed slots keep keys alone."""
    ivtlr = planned("ivtlr")
    data = benchmark(4)
    runs = every_run(ivtlr, data)
    assert set(runs) == set(get_args(VisionRun))
    steps = {name: rows.set_index(["example", "step"]) for name, rows in runs.items()}
    first = {name: values(rows.xs(1, level="step")) for name, rows in steps.items()}
    for name in runs:
        # No patch was re-inserted before step 1.
        np.testing.assert_allclose(first[name][MASSES], first["own"][MASSES], atol=1e-6)
        assert set(runs[name]["vision"]) == {name}
        assert runs[name]["mode"].nunique() == 1
    assert len({rows["mode"].iloc[0] for rows in runs.values()}) == len(runs)
    slots = {
        name: rows["n:reinserted"].groupby(level="step").max().tolist()
        for name, rows in steps.items()
    }
    for name in runs:
        assert slots[name] == ([0, 0, 0] if name in ("held", "closed") else [0, 2, 4])
    # Closed up is the plan that re-inserts nothing, to the bit; held is that plan with wide steps.
    for name, stride in (("closed", None), ("held", 3)):
        never = with_plan(ivtlr, PLANS["ivtlr"].replace(k=0, stride=stride))
        np.testing.assert_array_equal(
            values(step_rows(CONFIG, never, data))[MASSES], runs[name][MASSES]
        )
    # Each differs from the model's own run where there is something to differ.
    for name in set(runs) - {"own"}:
        later = runs[name]["step"] > 1
        assert (runs[name][later][MASSES] != runs["own"][later][MASSES]).any(axis=None)


def test_empty_slots_hold_what_filler_holds_and_words_can_be_followed_by_nothing(planned):
    data = benchmark(3)
    filler = every_run(planned("filler"), data)
    np.testing.assert_array_equal(filler["kept"][MASSES], filler["own"][MASSES])
    writer = planned("cot_vision")
    words = every_run(writer, data)
    assert (words["own"]["n:reinserted"].max(), words["closed"]["n:reinserted"].max()) == (2, 0)
    never = with_plan(writer, writer.plan.replace(k=0))
    np.testing.assert_array_equal(
        values(step_rows(CONFIG, never, data))[MASSES], words["closed"][MASSES]
    )
    patches = every_run(planned(LatentPlan(steps=2, k=2, text=False)), data)
    assert set(patches) == {"own", "random", "kept"}
    assert set(every_run(planned("relay"), data)) == {"own"}


@pytest.fixture
def attention(commanded):
    return commanded("attention")


def test_the_command_reads_all_modes_and_says_what_it_found(attention):
    code, streams = attention("--limit", "12")
    assert code == 0, streams.err
    results = read_results(Path("results/attention"))
    assert list(results.rows["model"].unique()) == ["ivtlr", "relay", "gaze", "cot"]
    assert set(results.rows["mode"]) == {"latent", "latent, random picks", "explicit"}
    assert str(results.rows["hops"].dtype) == "Int64"
    lines = results.summary
    assert {"", "step 1", "cot", "random picks"} == set(lines["against"].fillna(""))
    assert (lines["value_low"] <= lines["value"]).all()
    assert lines[["n", "value", "value_low", "value_high", "null"]].notna().all(axis=None)
    for said in (
        "ivtlr, in latent steps",
        "cot, in written steps",
        "(uniform: ",
        "is not what its answer",
    ):
        assert said in streams.out


def test_the_answer_is_read_beside_the_steps(attention):
    flags = ("--model", "ivtlr", "relay", "bypass", "--explicit", "--limit", "6")
    code, streams = attention(*flags, "--vision", "own", "closed", "packed")
    assert code == 0, streams.err
    results = read_results(Path("results/attention"))
    answers = results.rows[results.rows["query"] == AFTER]
    assert set(answers["layers"]) == {"all", "0", "1"}
    assert (answers.groupby(["model", "mode", "layers"]).size() == 6).all()
    assert answers["patch_attention"].isna().all()
    lines = results.summary
    reward = lines[(lines["measure"] == "reward") & (lines["against"] == "")]
    assert set(reward["layers"].astype(str)) == {"0"}
    hidden = lines[(lines["model"] == "bypass") & (lines["query"] == AFTER)]
    assert len(hidden) and (hidden["value"] == 0).all()
    against = lines.loc[lines["measure"] == "answer_mass", "against"]
    assert {"no slots, positions closed", "slots without positions"} <= set(against.dropna())
    for said in ("answer to latents", "relay: Its answer puts", "no slots, positions closed"):
        assert said in " ".join(streams.out.split())
    assert re.search(r"bypass: Its answer puts 0(\.0)? % ", streams.out)


def test_data_without_traces_pass_over_what_needs_them(attention, tmp_path):
    data = [dataclasses.replace(example, trace=None) for example in benchmark(3)]
    export(data, tmp_path / "mine")
    code, streams = attention("--data", "mine", "--by", "layer")
    assert code == 0, streams.err
    assert "gaze" in streams.err and "passed over" in streams.err
    assert "pointing is left out" in streams.err
    results = read_results(Path("results/attention"))
    assert "gaze" not in set(results.rows["model"])
    assert results.rows["cell_read"].isna().all()
    assert "points_at" not in set(results.summary["measure"])


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (("--explicit", "cot", "cot"), "--explicit names one model twice"),
        (("--top", "0"), "--top 0"),
        (("--vision", "closed"), "--vision closed: name own"),
        (("--vision", "own", "own"), "--vision own own"),
        (("--explicit", "relay"), "reasons in latents"),
        (("--model", "cot"), "how many steps"),
        (("--model", "gaze", "--explicit", "--data", "mine"), "has no trace"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(attention, tmp_path, flags, named):
    data = [dataclasses.replace(example, trace=None) for example in benchmark(2)]
    export(data, tmp_path / "mine")
    code, streams = attention(*flags)
    assert code == 2 and streams.out == ""
    assert named in streams.err and streams.err.count("\n") == 1
    assert not list((tmp_path / "results").glob("*"))


def test_seeds_fix_the_random_control(qwen):
    same = [step_rows(CONFIG, qwen, benchmark(8))["random_at_read"] for _ in range(2)]
    other = step_rows(dataclasses.replace(CONFIG, seed=1), qwen, benchmark(8))["random_at_read"]
    assert same[0].equals(same[1]) and not same[0].equals(other)
    assert set(same[0]) <= {0.0, 1.0}

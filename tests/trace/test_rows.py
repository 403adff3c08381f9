"""Recorded answers: the same numbers as the rollout, the measures and the probes give."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from latentlab.backbones.sight import sight_of
from latentlab.data import load_data
from latentlab.errors import UserError
from latentlab.measures.summary import NONE
from latentlab.probe.probes import cross_validated
from latentlab.reasoning.interventions import Drop
from latentlab.reasoning.visibility import Kind
from latentlab.trace.config import TraceConfig
from latentlab.trace.findings import conclusion, summary_of
from latentlab.trace.records import ANSWER, STEP, option_probabilities

CONFIG = TraceConfig(model=("tiny",), data="benchmark", limit=4, reference=30, tokens=3)


@pytest.fixture(scope="module")
def rows(measured, qwen):
    data = load_data("benchmark", limit=10)
    return measured("trace", CONFIG, qwen, data[:4], data[4:])


@pytest.fixture(scope="module")
def rollout_of(qwen):
    """The rollout of one example, with every layer captured."""

    def run(example):
        rollout = qwen.rollout(capture_layers=range(qwen.backbone.n_layers))
        with torch.no_grad():
            return rollout(qwen.prompter.batch([example], qwen.plan))

    return run


def of(rows, example, record, arm=NONE):
    mine = (rows["example"] == example.id) & (rows["record"] == record)
    return rows[mine & (rows["intervention"] == arm)]


def test_there_is_a_row_for_every_step_and_every_arm(rows, qwen):
    counts = rows.groupby(["example", "intervention", "record"]).size().unstack()
    assert set(counts[STEP]) == {qwen.plan.steps}
    assert set(counts[ANSWER]) == {1}
    answers = rows[rows["record"] == ANSWER]
    arms = set(answers["intervention"])
    assert {NONE, "drop latent_text", "drop latent_vision", "drop latent"} < arms
    assert {"placeholder latent", "other latent", "noise 1 latent", "sham latent"} < arms
    controls = answers[answers["control_of"].fillna("") != ""]
    # Every knock-out has its matched control; removals share one over their rules of positions.
    knocked_out = answers.loc[answers["kind"] == "knock-out at inference", "intervention"]
    assert set(controls["control_of"]) == set(knocked_out.str.partition(": ")[0])


def test_probabilities_are_those_of_the_options_and_sum_to_one(rows):
    answers = rows[rows["record"] == ANSWER]
    for logprobs, probabilities in zip(
        answers["option_logprobs"], answers["option_probs"], strict=True
    ):
        assert sum(probabilities) == pytest.approx(1)
        expected = np.exp(logprobs) / np.exp(logprobs).sum()
        np.testing.assert_allclose(probabilities, expected, rtol=1e-6)
    assert option_probabilities(np.array([])) == []
    # Even where a likelihood is too small for a float.
    assert option_probabilities(np.array([-2000.0, -2000.0])) == [0.5, 0.5]


def test_the_sham_changes_nothing(rows):
    answers = rows[rows["record"] == ANSWER].set_index("example")
    alone = answers[answers["intervention"] == NONE]
    sham = answers[answers["intervention"] == "sham latent"]
    for example in alone.index:
        assert sham.loc[example, "option_probs"] == alone.loc[example, "option_probs"]


def test_picks_attention_and_lens_are_the_trajectorys(rows, qwen, rollout_of):
    for example in load_data("benchmark", limit=4):
        state = rollout_of(example)
        steps = of(rows, example, STEP)
        assert steps["step"].tolist() == [1, 2]
        for (_, row), latent, captured in zip(
            steps.iterrows(), state.latents, state.rows, strict=True
        ):
            assert row["picks"] == latent.picks[0].tolist()
            mean = captured.mean(dim=(0, 2))[0]
            expected = mean[state.patches.index[0]].tolist()
            assert row["patch_attention"] == pytest.approx(expected, rel=1e-4)
            logits = qwen.backbone.logits(latent.text)[0].float()
            top = logits.softmax(-1).topk(3)
            decode = qwen.prompter.tokenizer.decode
            assert row["lens_tokens"] == [decode([token]) for token in top.indices.tolist()]
            assert row["lens_probs"] == pytest.approx(top.values.tolist(), rel=1e-3)


def test_ratio_and_focus_are_the_formulas_of_the_paper(rows, rollout_of):
    (example,) = load_data("benchmark", limit=1)
    state = rollout_of(example)
    for (_, row), captured in zip(of(rows, example, STEP).iterrows(), state.rows, strict=True):
        mean = captured.mean(dim=(0, 2))[0]
        kinds = state.kinds[0, : len(mean)].tolist()
        image = [a for a, kind in zip(mean.tolist(), kinds, strict=True) if kind == Kind.IMAGE]
        text = [
            a
            for place, (a, kind) in enumerate(zip(mean.tolist(), kinds, strict=True))
            if place and kind in (Kind.PROMPT, Kind.LATENT_TEXT)  # without the sink
        ]
        assert row["ratio:image/text"] == pytest.approx(sum(image) / sum(text), rel=1e-4)
        shares = np.array(image) / sum(image)
        entropy = -(shares * np.log(shares)).sum()
        assert row["focus:image"] == pytest.approx(1 / (entropy + 1e-6), rel=1e-4)


def test_a_probe_reads_the_object_of_its_hop_and_never_saw_the_example(rows, qwen, rollout_of):
    data = load_data("benchmark", limit=36)
    known = [data[i] for i in (*range(4), *range(10, 36))]  # the others lend latents
    latents = torch.stack([rollout_of(one).latents[1].text[0] for one in known]).numpy()
    codes, names = pd.factorize(np.array([one.trace.at(2) for one in known], object))
    read = cross_validated(latents, codes[:, None])[:, 0]
    step = rows[(rows["record"] == STEP) & (rows["step"] == 2) & (rows["intervention"] == NONE)]
    assert step["probe_label"].tolist() == [names[code] for code in read[:4]]
    assert step["probe_correct"].tolist() == (read == codes)[:4].tolist()
    assert set(step["probe_target"]) == {"object 2"}
    assert set(step["probe_n"]) == {30}


def test_steps_of_an_altered_run_are_that_runs(rows, qwen):
    data = load_data("benchmark", limit=10)
    prompts = qwen.batch(data[:4])
    rollout = qwen.rollout(capture_layers=range(qwen.backbone.n_layers))
    with torch.no_grad():
        prefix = rollout.prefill(prompts)
        state = rollout.reason(prefix, [Drop("latent_vision")])
    found = rows[(rows["record"] == STEP) & (rows["intervention"] == "drop latent_vision")]
    assert found["picks"].isna().all() and found["lens_tokens"].notna().all()
    second = found[found["step"] == 2]
    for i, attention in enumerate(second["patch_attention"]):
        expected = state.rows[1].mean(dim=(0, 2))[i][state.patches.index[i]].tolist()
        assert attention == pytest.approx(expected, rel=1e-3)
    # Nothing is read where nothing is fed in, and empty slots all read the same.
    dropped = rows[(rows["record"] == STEP) & (rows["intervention"] == "drop latent_text")]
    assert dropped["lens_tokens"].isna().all() and dropped["probe_label"].isna().all()
    empty = rows[(rows["record"] == STEP) & (rows["intervention"] == "placeholder latent")]
    assert empty["lens_tokens"].map(tuple).nunique() == 1


def test_the_steps_of_a_sham_are_those_of_the_run_left_alone(rows):
    steps = rows[rows["record"] == STEP].set_index(["example", "step"])
    alone = steps[steps["intervention"] == NONE]
    sham = steps[steps["intervention"] == "sham latent"]
    for column in ("patch_attention", "picks", "lens_probs", "probe_label", "ratio:image/text"):
        assert alone[column].tolist() == sham.loc[alone.index, column].tolist()


def test_an_exchange_names_the_question_that_lends(rows):
    data = load_data("benchmark", limit=10)
    lenders = {one.id: one for one in (data[i] for i in range(4, 10))}
    answers = rows[(rows["record"] == ANSWER) & (rows["intervention"] == "other latent")]
    for _, row in answers.iterrows():
        donor = lenders[row["donor_example"]]
        assert row["donor_question"] == donor.question
        assert row["donor_path"] == [donor.trace.at(hop) for hop in range(5)]
    alone = rows[(rows["record"] == ANSWER) & (rows["intervention"] == NONE)]
    assert alone["donor_question"].isna().all()


def test_probes_read_a_step_of_questions_that_go_so_far(measured, qwen, monkeypatch):
    data = load_data("benchmark:hops=1+4", limit=40)
    monkeypatch.setattr("latentlab.trace.rows.load_for", lambda *_, **__: data)
    rows = measured("trace", CONFIG, qwen, data[:6], data[6:10])
    steps = rows[(rows["record"] == STEP) & (rows["intervention"] == NONE)]
    read = steps.groupby("step")["probe_label"].count()
    assert read[1] == 6 and read[2] == (steps["hops"] == 4).sum() / 2 == 3
    second = steps[(steps["step"] == 2) & steps["probe_label"].notna()]
    whole = [data[i].hops for i in (*range(6), *range(10, 34))]
    assert set(second["probe_n"]) == {whole.count(4)}


def test_lines_tell_knock_outs_and_probes_with_n(rows):
    lines = summary_of(rows)
    probes = lines[lines["record"] == STEP]
    assert probes["step"].tolist() == [1, 2]
    assert set(probes["n"]) == {4}
    assert ((probes["value_low"] <= probes["value"]) & (probes["value"] <= 1)).all()
    knocked_out, read = conclusion(lines)
    assert knocked_out.startswith(f"{rows['model'].iloc[0]}: ")
    assert "object 2 at step 2" in read


def test_data_without_traces_has_neither_probes_nor_hops(
    measured, chameleon, examples, monkeypatch
):
    monkeypatch.setattr("latentlab.trace.rows.load_for", lambda *_, **__: examples)
    references = [replace(example, id=f"other {example.id}") for example in examples]
    config = TraceConfig(model=("tiny",), reference=20)
    rows = measured("trace", config, chameleon, examples, references)
    steps = rows[rows["record"] == STEP]
    arms = steps["intervention"].nunique()
    assert arms > 1 and len(steps) == len(examples) * chameleon.plan.steps * arms
    assert steps["cell_read"].isna().all()
    assert "probe_label" not in rows or steps["probe_label"].isna().all()
    assert summary_of(rows)["record"].unique().tolist() == [ANSWER]


def test_the_grid_lies_on_what_a_family_cuts_out(qwen, chameleon, examples):
    wide = examples[0].image  # 84 x 56 pixels
    assert sight_of(qwen.backbone, wide) == (2, 3, (0, 0, 84, 56))
    assert sight_of(chameleon.backbone, wide).part == (14, 0, 70, 56)


def test_flags_that_cannot_be_meant_are_refused():
    for flags in ({"reference": 3}, {"tokens": 0}):
        with pytest.raises(UserError, match="is too small"):
            TraceConfig(**flags)
    with pytest.raises(UserError, match=r"no method is called 'ccott'.*ccot"):
        TraceConfig(method=("ccott",))

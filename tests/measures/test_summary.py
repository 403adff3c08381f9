import time

import numpy as np
import pandas as pd
import pytest

from latentlab.measures.significance import holm, mcnemar, sign_flip
from latentlab.measures.statistics import (
    accuracy_interval,
    bootstrap_interval,
    paired_difference,
    smallest_effect,
)
from latentlab.measures.summary import summarise


def make_rows(models=2, interventions=3, examples=90, seed=0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    base = pd.DataFrame(
        {
            "data": "benchmark",
            "example": np.arange(examples),
            "domain": np.array(["digits", "relation", "colours"])[np.arange(examples) % 3],
            "topic": np.array(["near", "far"])[np.arange(examples) // 3 % 2],
            "hops": 4,
        }
    )
    arms = [("none", "none")] + [(f"drop_{k}", "knock-out") for k in range(interventions - 1)]
    return pd.concat(
        base.assign(
            model=f"model{m}",
            intervention=name,
            kind=kind,
            correct=rng.random(examples) < (0.9 if name == "none" else 0.6),
        )
        for m in range(models)
        for name, kind in arms
    )


def test_lines_hold_what_the_statistics_say_of_their_rows():
    rows = make_rows()
    lines = summarise(rows)
    assert len(lines) == 2 * 3 * (1 + 3 + 6)
    for line in lines.itertuples():
        part = rows[rows.model == line.model]
        part = part if line.domain == "all" else part[part.domain == line.domain]
        part = part if line.topic == "all" else part[part.topic == line.topic]
        treated = part[part.intervention == line.intervention].sort_values("example").correct
        baseline = part[part.intervention == "none"].sort_values("example").correct
        accuracy = accuracy_interval(treated)
        delta = paired_difference(treated, baseline)
        assert (line.n, line.accuracy, line.accuracy_low) == (
            accuracy.n,
            accuracy.mean,
            accuracy.low,
        )
        assert (line.delta, line.delta_low, line.delta_high) == (delta.mean, delta.low, delta.high)
        assert line.p_mcnemar == mcnemar(treated, baseline)
        changed = treated.to_numpy(float) - baseline.to_numpy(float)
        assert line.delta_smallest == smallest_effect(changed)


def test_order_of_rows_changes_nothing_but_the_order_of_lines():
    rows = make_rows()
    keys = ["model", "intervention", "domain", "topic"]
    lines = summarise(rows).sort_values(keys, ignore_index=True)
    shuffled = summarise(rows.sample(frac=1, random_state=0)).sort_values(keys, ignore_index=True)
    pd.testing.assert_frame_equal(lines, shuffled)


def test_total_comes_before_its_parts_and_none_first():
    lines = summarise(make_rows())
    assert list(lines["intervention"].unique()) == ["none", "drop_0", "drop_1"]
    first = lines.iloc[0]
    assert (first["domain"], first["topic"]) == ("all", "all")


def test_model_left_alone_differs_from_itself_by_exactly_nothing():
    alone = summarise(make_rows()).query("intervention == 'none'")
    assert (alone[["delta", "delta_low", "delta_high"]] == 0).all(axis=None)
    assert (alone[["p_mcnemar", "p_holm"]] == 1).all(axis=None)


def test_holm_adjusts_over_the_interventions_of_one_model_and_group():
    lines = summarise(make_rows(interventions=6), by=["domain"])
    family = lines.query("model == 'model1' and domain == 'digits' and intervention != 'none'")
    np.testing.assert_allclose(family["p_holm"], holm(family["p_mcnemar"].to_numpy()))
    assert "topic" not in lines
    assert (family["family"] == 5).all()


def test_shams_are_in_no_family():
    rows = make_rows(models=1, interventions=4)
    rows["action"] = np.where(rows.intervention == "none", "none", "drop")
    sham = rows[rows.intervention == "none"].assign(
        intervention="sham latent_text", kind="control", action="sham"
    )
    with_sham = summarise(pd.concat([rows, sham]), by=["domain"])
    without = summarise(rows, by=["domain"])
    shams = with_sham.intervention == "sham latent_text"
    pd.testing.assert_frame_equal(with_sham[~shams].reset_index(drop=True), without)
    assert (with_sham[shams].family == 0).all()
    assert set(without.family) == {0, 3}


def test_questions_that_stand_and_fall_together_widen_everything():
    rows = make_rows(models=1, interventions=2, examples=120)
    labels = [[f"scan {i // 4}"] for i in range(120)]
    copied = rows.assign(
        correct=np.repeat(rows["correct"].to_numpy().reshape(2, 30, 4)[..., 0].ravel(), 4)
    )
    naive = summarise(copied, by=[]).iloc[1]
    line = summarise(copied.assign(cluster=labels * 2), by=[]).iloc[1]
    for name in ("accuracy", "delta"):
        assert line[name] == naive[name]
        width, before = (x[f"{name}_high"] - x[f"{name}_low"] for x in (line, naive))
        assert width == pytest.approx(2 * before, rel=0.1)  # a fourth of the examples
    assert line["delta_smallest"] == pytest.approx(2 * naive["delta_smallest"], rel=0.05)
    once = summarise(copied.iloc[::4], by=[]).iloc[1]["p_mcnemar"]
    assert naive["p_mcnemar"] < once / 30
    assert once / 3 < line["p_mcnemar"] < 3 * once
    # Labels that none share are as good as none, and arrays as good as lists.
    alone = [np.array([f"scan {i}"]) for i in range(120)]
    pd.testing.assert_frame_equal(
        summarise(rows.assign(cluster=alone * 2), by=["domain"]), summarise(rows, by=["domain"])
    )


def test_intervention_is_compared_on_the_examples_it_ran_on():
    rows = make_rows(models=1, interventions=2)
    part = rows[(rows.intervention == "none") | (rows.example < 30)]
    line = summarise(part, by=[]).query("intervention == 'drop_0'").iloc[0]
    treated = part[part.intervention == "drop_0"]
    baseline = part[(part.intervention == "none") & (part.example < 30)]
    assert line.n == 30
    assert line.delta == pytest.approx(treated.correct.mean() - baseline.correct.mean())


def test_seeds_are_averaged_within_an_example_and_add_nothing_to_n():
    rows = make_rows(models=1, interventions=2).assign(seed=0)
    noisy = rows[rows.intervention != "none"]
    again = noisy.assign(seed=1, correct=np.random.default_rng(1).random(len(noisy)) < 0.6)
    lines = summarise(pd.concat([rows, again]), by=["domain"]).set_index(["intervention", "domain"])
    line, alone = lines.loc[("drop_0", "all")], lines.loc[("none", "all")]
    assert (line["n"], line["seeds"]) == (90, 2)
    assert (alone["n"], alone["seeds"]) == (90, 1)
    means = (noisy["correct"].to_numpy(float) + again["correct"].to_numpy(float)) / 2
    baseline = rows.loc[rows.intervention == "none", "correct"]
    assert line["accuracy"] == means.mean()
    assert line["accuracy_low"] == bootstrap_interval(means).low
    assert line["delta_high"] == paired_difference(means, baseline).high
    assert line["p_mcnemar"] == sign_flip(means, baseline, 2)
    # Draws that agree are answers as they are.
    same = summarise(pd.concat([rows, noisy.assign(seed=1)]), by=["domain"])
    kept = ["n", "accuracy", "accuracy_low", "delta_low", "p_mcnemar", "p_holm"]
    assert same[kept].equals(summarise(rows, by=["domain"])[kept])


def twice(rows):
    return pd.concat([rows, rows.head(1)])


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda rows: rows.drop(columns="kind"), "lack the columns kind"),
        (lambda rows: rows.head(0), "no rows"),
        (twice, "twice"),
        (lambda rows: twice(rows.assign(seed=0)), "twice"),
        (lambda rows: rows.assign(topic=None), "missing values in topic"),
        (lambda rows: rows.assign(domain="all"), "name of the total"),
        (lambda rows: rows[rows.intervention != "none"], "to compare with"),
        (lambda rows: rows.iloc[1:], "to compare with, the first of model0 under drop_0"),
    ],
)
def test_rows_that_would_mislead_are_refused(spoil, complaint):
    with pytest.raises(ValueError, match=complaint):
        summarise(spoil(make_rows()))


def test_a_full_study_is_summarised_in_seconds():
    rows = make_rows(models=5, interventions=30, examples=500)
    started = time.process_time()
    summarise(rows)
    assert time.process_time() - started < 6  # about 1.5 s on a laptop core

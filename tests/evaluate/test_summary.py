import pandas as pd
import pytest

from latentlab.evaluate.findings import conclusion
from latentlab.evaluate.summary import summary_of


def rows(**columns) -> pd.DataFrame:
    values = {
        "model": "cot",
        "data": "mine",
        "intervention": "none",
        "kind": "none",
        "domain": "digits",
        "topic": "dark",
        "hops": pd.array([1, 1, None, None], "Int64"),
        "correct": [True, True, False, True],
        "correct_likelihood": [True, True, True, True],
        "correct_lenient": pd.array([True, None, None, None], "boolean"),
        "autoregressive_steps": [5, 5, 7, 7],
        "latent_steps": 3,
        "new_tokens": [2, 2, 4, 4],
        "seconds": [0.1, 0.1, 0.1, 0.4],
    }
    return pd.DataFrame({**values, **columns})


def test_readings_are_kept_apart_and_each_counts_what_it_applies_to():
    total = summary_of(rows()).iloc[0]
    assert (total["n"], total["accuracy"], total["likelihood"]) == (4, 0.75, 1.0)
    assert total["lenient"] == 1.0
    assert total["lenient_low"] < total["likelihood_low"] < 1  # one answer says less than four
    assert total["autoregressive_steps"] == 6
    assert total["latent_steps_low"] == total["latent_steps_high"] == 3


def test_hops_that_are_not_known_give_no_lines():
    lines = summary_of(rows())
    assert lines["hops"].tolist() == ["all", "all", "all", "1", "1"]
    assert lines["n"].tolist() == [4, 4, 4, 2, 2]


def test_time_is_told_for_all_only_and_its_interval_is_over_batches():
    lines = summary_of(rows())
    assert lines["seconds"].notna().tolist() == [True, False, False, False, False]
    total = lines.iloc[0]
    assert total["seconds"] == pytest.approx(0.175)
    assert (total["seconds_low"], total["seconds_high"]) == pytest.approx((0.1, 0.4))
    one_batch = summary_of(rows(seconds=0.2)).iloc[0]
    assert one_batch["seconds"] == pytest.approx(0.2)
    assert pd.isna(one_batch["seconds_low"])


def test_timings_in_turns_take_the_place_of_the_time_of_batches():
    times = [[0.3, 0.1, 0.2, 0.2, 0.9]] * 4
    timed = pd.concat([rows(times=times), rows(model="relay", times=[None] * 4)])
    lines = summary_of(timed)
    first, second = (lines[lines["model"] == name].iloc[0] for name in ("cot", "relay"))
    assert (first["seconds"], first["seconds_low"], first["seconds_high"]) == (0.2, 0.1, 0.9)
    assert pd.isna(second["seconds"])  # not timed, as without a picture


def told(one, four):
    asked = pd.array([1] * 50 + [4] * 50, "Int64")
    right = [i < one for i in range(50)] + [i < four for i in range(50)]
    columns = {"hops": asked, "correct": right, "correct_likelihood": right, "options": 4}
    whole = pd.DataFrame({**rows().iloc[0].to_dict(), **columns, "correct_lenient": None})
    (sentence,) = conclusion(summary_of(whole), whole)
    return sentence


def test_a_mean_that_hides_a_difference_between_hops_is_not_left_alone():
    assert "of those with" not in told(48, 46)
    sentence = told(48, 2)
    assert sentence.startswith("cot answers 50 % [40, 60] of 100 questions, 96 % [")
    assert "of those with 1 hop and 4 % [" in sentence

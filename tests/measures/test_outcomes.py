import numpy as np
import pandas as pd
import pytest

from latentlab.measures.outcomes import kl_divergence, log_odds, with_outcomes


def row(intervention, choice, options, text="", example="e") -> dict:
    odds = log_odds(options, 0) if options else None
    return {
        "model": "m",
        "data": "d",
        "example": example,
        "intervention": intervention,
        "text": text,
        "choice": choice,
        "option_logprobs": options,
        "gold_log_odds": odds,
    }


def outcomes(*rows) -> pd.DataFrame:
    return with_outcomes(pd.DataFrame(list(rows)).astype({"choice": "Int64"}))


def test_log_odds_are_those_of_the_softmax():
    logits = np.array([1.0, -2.0, 0.5])
    p = np.exp(logits) / np.exp(logits).sum()
    assert log_odds(logits, 2) == pytest.approx(np.log(p[2] / (1 - p[2])))
    assert log_odds(logits + 7, 2) == pytest.approx(log_odds(logits, 2))


def test_divergence_is_zero_only_between_equals_and_has_a_direction():
    before, after = [0.0, -1.0], [0.0, -3.0]
    p, q = (np.exp(x) / np.exp(x).sum() for x in (np.array(before), np.array(after)))
    assert kl_divergence(before, before) == 0
    assert kl_divergence(before, after) == pytest.approx((p * np.log(p / q)).sum())
    assert kl_divergence(after, before) != pytest.approx(kl_divergence(before, after))


def test_untouched_rows_differ_from_themselves_by_exactly_nothing():
    found = outcomes(row("none", 0, [-1.0, -2.0]), row("sham", 0, [-1.0, -2.0]))
    assert (found[["flip", "log_odds_change", "kl"]].to_numpy(float) == 0).all()


def test_an_answer_flips_to_another_option_and_to_none_but_not_to_itself():
    found = outcomes(
        row("none", 0, [-1.0, -2.0]),
        row("other", 1, [-2.0, -1.0]),
        row("babble", None, [-1.0, -1.0]),
        row("same", 0, [-1.0, -1.5], text="longer"),
    )
    assert found["flip"].tolist() == [False, True, True, False]
    assert found["log_odds_change"].tolist() == pytest.approx([0, -2, -1, -0.5])
    found = outcomes(row("none", None, [-1.0, -1.0]), row("named", 1, [-2.0, -1.0]))
    assert found["flip"].tolist() == [False, True]


def test_without_options_the_text_decides():
    found = outcomes(row("none", None, [], "four"), row("a", None, [], "five"))
    assert found["flip"].tolist() == [False, True]
    assert found["kl"].isna().all()


def test_without_an_untouched_row_nothing_is_claimed():
    found = outcomes(row("a", 0, [-1.0, -2.0]), row("none", 0, [-1.0, -2.0], example="other"))
    assert found[["flip", "log_odds_change", "kl"]].isna().all(axis=1).tolist() == [True, False]

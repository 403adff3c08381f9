"""Whose answer it is, and how far it moved: by hand, on a few rows."""

import numpy as np
import pandas as pd
import pytest

from latentlab.interchange.summary import summary_of, with_interchange
from latentlab.measures.changes import change_interval
from latentlab.measures.outcomes import with_outcomes
from latentlab.measures.statistics import accuracy_interval, bootstrap_interval

CHOICES = ["own", "donor", "other", "led"]


def row(example, intervention, said, scores, donor="same_image", expected="donor", **changes):
    return {
        "model": "m",
        "data": "d",
        "domain": "x" if example < "c" else "y",
        "example": example,
        "donor": donor,
        "intervention": intervention,
        "part": "" if intervention == "none" else "latent",
        "steps": "" if intervention == "none" else "1..2",
        "step_set": "" if intervention == "none" else "all",
        "text": said or "",
        "choice": CHOICES.index(said) if said else None,
        "choices": CHOICES,
        "correct": said == "own",
        "option_logprobs": scores,
        "gold_log_odds": scores[0],
        "own_answer": "own",
        "donor_answer": "own" if donor in ("self", "same_answer") else "donor",
        "expected_answer": None if intervention == "none" else expected,
        "donor_correct": True,
        "donor_shown": True,
        "hop": None,
        "context": "",
        "patches": "",
        "sham": "",
        "needed_cell_picked": None,
        "change_norm": np.nan,
        **changes,
    }


def measured(*rows) -> pd.DataFrame:
    types = {"choice": "Int64", "expected_answer": "str", "hop": "Int64"}
    types |= {"donor_shown": "boolean", "needed_cell_picked": "boolean"}
    frame = pd.DataFrame(list(rows)).astype(types)
    parts = [with_outcomes(of_rule) for _, of_rule in frame.groupby("donor", sort=False)]
    return with_interchange(pd.concat(parts, ignore_index=True))


LOW, HIGH = [-1.0, -3.0, -2.0, -4.0], [-5.0, -1.0, -2.0, -4.0]
PAIRS = [
    row("a", "none", "own", LOW),
    row("b", "none", "own", LOW),
    row("c", "none", "donor", LOW),
    row("d", "none", "own", LOW),
    row("a", "swap", "donor", HIGH),
    row("b", "swap", "own", LOW),
    row("c", "swap", "donor", HIGH, donor_correct=False),
    row("d", "swap", None, LOW),
]


def test_an_answer_is_the_donors_ones_own_or_neither():
    rows = measured(*PAIRS)
    swapped = rows[rows["part"] != ""]
    assert swapped["follows_donor"].tolist() == [True, False, True, False]
    assert swapped["follows_expected"].tolist() == [True, False, True, False]
    assert swapped["keeps_own"].tolist() == [False, True, False, False]
    assert swapped["neither"].tolist() == [False, False, False, True]
    assert swapped["solved"].tolist() == [True, True, False, True]
    assert swapped["strict_flip"].tolist() == [True, False, False, False]  # c said so anyway
    assert swapped["false_flip"].tolist() == [False, False, False, True]
    assert swapped["donor_lift"].tolist() == [1, 0, 0, 0]
    assert swapped["own_lift"].tolist() == [-1, 0, 0, -1]
    assert swapped["margin_shift"].tolist() == [6, 0, 6, 0]
    assert rows[rows["part"] == ""]["follows_expected"].isna().all()
    assert (rows[rows["part"] == ""][["donor_lift", "margin_shift"]] == 0).all().all()


def test_what_is_expected_may_differ_from_what_the_donor_said():
    rows = measured(
        row("a", "none", "own", LOW, donor="unrelated"),
        row("a", "swap", "led", HIGH, donor="unrelated", expected="led"),
        row("b", "none", "own", LOW, donor="unrelated"),
        row("b", "swap", "donor", HIGH, donor="unrelated", expected=None),
        row("c", "none", "own", LOW, donor="unrelated"),
        row("c", "swap", "own", LOW, donor="unrelated", expected="own"),
    )
    swapped = rows[rows["part"] != ""]
    assert swapped["follows_expected"].tolist() == [True, pd.NA, pd.NA]
    assert swapped["follows_donor"].tolist() == [False, True, False]
    assert swapped["neither"].tolist() == [True, False, False]


@pytest.mark.parametrize("rule", ["self", "same_answer"])
def test_a_donor_with_the_same_answer_cannot_be_followed(rule):
    rows = measured(
        row("a", "none", "own", LOW, donor=rule),
        row("a", "swap", "other", HIGH, donor=rule, expected="own"),
    )
    undefined = ["follows_donor", "follows_expected", "donor_lift", "margin", "margin_shift"]
    assert rows[undefined].isna().all().all()
    assert rows["neither"].tolist() == [False, True]
    line = summary_of(rows, 0).iloc[0]
    assert line[["n_iia", "n_solved"]].tolist() == [0, 0]
    assert np.isnan(line["iia"]) and np.isnan(line["donor_lift"])
    assert (line["keeps_own"], line["neither"], line["flip"]) == (0, 1, 1)


def test_lines_hold_fractions_and_means_with_their_intervals():
    rows = measured(*PAIRS)
    lines = summary_of(rows, 5)
    assert lines["domain"].tolist() == ["all", "x", "y"]
    assert lines["n"].tolist() == [4, 2, 2]
    assert lines["n_solved"].tolist() == [3, 2, 1]
    total = lines.iloc[0]
    expected = {
        "iia": [1, 0, 1, 0],
        "iia_solved": [1, 0, 0],
        "follows_donor": [1, 0, 1, 0],
        "keeps_own": [0, 1, 0, 0],
        "neither": [0, 0, 0, 1],
        "flip": [1, 0, 0, 1],
        "donor_correct": [1, 1, 0, 1],
    }
    for name, values in expected.items():
        interval = accuracy_interval(values)
        assert total[name] == interval.mean
        assert (total[f"{name}_low"], total[f"{name}_high"]) == (interval.low, interval.high)
    wanted = {
        "donor_lift": change_interval([1, 0, 0, 0]),
        "margin_shift": bootstrap_interval([6, 0, 6, 0], seed=5),
    }
    for name, interval in wanted.items():
        assert total[name] == interval.mean
        assert (total[f"{name}_low"], total[f"{name}_high"]) == (interval.low, interval.high)
    assert total[["iia", "keeps_own", "neither"]].sum() == 1


def test_recipients_left_alone_under_another_rule_do_not_count():
    """Options depend on the donor, so an untouched answer belongs to its rule."""
    rows = measured(
        row("a", "none", "own", LOW),
        row("a", "swap", "donor", HIGH),
        row("a", "none", "donor", HIGH, donor="unrelated"),
        row("a", "swap", "donor", HIGH, donor="unrelated"),
    )
    swapped = rows[rows["part"] != ""].set_index("donor")
    assert swapped["donor_lift"].to_dict() == {"same_image": 1, "unrelated": 0}
    assert swapped["margin_shift"].to_dict() == {"same_image": 6, "unrelated": 0}


def test_a_donors_answer_counts_apart_where_the_picture_shows_it():
    shown = [row("a", "swap", "donor", HIGH), row("b", "swap", "own", LOW)]
    hidden = [row("c", "swap", "donor", HIGH, donor_shown=False)]
    untraced = [row("d", "swap", "donor", HIGH, donor_shown=None)]
    alone = [row(example, "none", "own", LOW) for example in "abcd"]
    line = summary_of(measured(*alone, *shown, *hidden, *untraced), 0).iloc[0]
    assert line[["n", "n_shown"]].tolist() == [4, 2]
    assert (line["follows_donor"], line["follows_shown"]) == (0.75, 0.5)


def test_a_change_stands_above_its_sham_on_the_same_questions():
    """The sham is not defined for c; a keeps its answer under it, b does not."""
    edit = {"donor": "counterfactual", "hop": 2, "patches": "needed"}
    picked = [True, True, False]
    alone = [row(e, "none", "own", LOW, **edit) for e in "abc"]
    real = [
        row(e, "edit", said, LOW, **edit, needed_cell_picked=there)
        for e, said, there in zip("abc", ["donor", "donor", "own"], picked, strict=True)
    ]
    sham = [
        row(e, "edit: sham", said, LOW, **edit, sham="permuted", needed_cell_picked=True)
        for e, said in zip("ab", ["own", "other"], strict=True)
    ]
    lines = summary_of(measured(*alone, *real, *sham), 3)
    key = ["sham", "domain", "needed_cell"]
    found = lines.set_index(key)["strict_flip"].to_dict()
    assert found["", "all", "all"] == pytest.approx(2 / 3)
    assert (found["", "all", "picked"], found["", "all", "not picked"]) == (1, 0)
    assert found["permuted", "all", "all"] == 0
    line = lines.set_index(key).loc[("permuted", "all", "all")]
    assert (line["n"], line["strict_flip_above"], line["keeps_own_above"]) == (2, 1, -0.5)
    ends = change_interval([0, -1])
    assert line["keeps_own_above_low"] == ends.low
    assert lines.loc[lines["sham"] == "", "strict_flip_above"].isna().all()


def test_nothing_but_untouched_rows_make_no_lines():
    with pytest.raises(ValueError, match="no rows"):
        summary_of(measured(row("a", "none", "own", LOW)), 0)

"""The four cells, told from rows as the arms leave them."""

import pandas as pd
import pytest

from latentlab.ablate.necessity import (
    HARMFUL,
    LABELS,
    NEEDED,
    RIGHT,
    WRONG,
    count_necessity,
    necessity,
    with_necessity,
)
from latentlab.measures.statistics import accuracy_interval
from latentlab.vocabulary import EMPTY
from tests.named import named

CELLS = {
    "a": (True, False, NEEDED),
    "b": (False, True, HARMFUL),
    "c": (True, True, RIGHT),
    "d": (False, False, WRONG),
    "e": (True, False, NEEDED),
}


def rows_of(arm, values, model="m"):
    return pd.DataFrame(
        {
            "model": model,
            "data": "benchmark",
            "example": list(CELLS),
            "domain": ["x", "x", "x", "y", "y"],
            "correct": values,
            **named(arm, positions="kept" if arm.endswith(EMPTY) else "").facts,
        }
    )


def study(arm, model="m"):
    alone = rows_of("none", [before for before, _, _ in CELLS.values()], model)
    return pd.concat([alone, rows_of(arm, [after for _, after, _ in CELLS.values()], model)])


@pytest.mark.parametrize(
    ("arm", "part"),
    [
        ("placeholder latent", "latent"),
        ("drop latent: slots kept, empty", "latent"),
        ("placeholder latent_text at step 2..3", "latent_text at step 2..3"),
        ("placeholder rationale", "rationale"),
    ],
)
def test_each_example_falls_into_its_cell(arm, part):
    labels = necessity(study(arm))
    assert labels["example"].tolist() == list(CELLS)
    assert labels["necessity"].tolist() == [label for _, _, label in CELLS.values()]
    assert labels["right_with"].tolist() == [before for before, _, _ in CELLS.values()]
    assert labels["right_without"].tolist() == [after for _, after, _ in CELLS.values()]
    assert set(labels["part"]) == {part}


def test_only_rows_of_an_arm_that_empties_slots_have_a_label():
    others = ["drop latent", "zero latent", "placeholder latent: on any prompt positions"]
    wrong = [rows_of(arm, [False] * 5) for arm in others]
    rows = with_necessity(pd.concat([study("placeholder latent"), *wrong]))
    labelled = rows.groupby("intervention")["necessity"].count()
    assert labelled.to_dict() == {**dict.fromkeys(["none", *others], 0), "placeholder latent": 5}
    assert necessity(pd.concat(wrong)).empty


def test_without_an_untouched_row_there_is_no_label():
    rows = study("placeholder latent")
    alone = (rows["intervention"] == "none") & (rows["example"] == "a")
    assert necessity(rows[~alone])["example"].tolist() == ["b", "c", "d", "e"]


def test_of_each_model_the_most_that_was_emptied_counts_once():
    rows = pd.concat(
        [
            study("drop latent_text: slots kept, empty"),
            rows_of("drop latent: slots kept, empty", [False] * 5),
            rows_of("placeholder latent", [False] * 5),
            study("placeholder rationale", "words"),
        ]
    )
    labels = necessity(rows)
    assert labels.groupby("model", sort=False)["part"].unique().map(list).to_dict() == {
        "m": ["latent"],
        "words": ["rationale"],
    }
    assert len(labels) == 10
    assert not labels.loc[labels["model"] == "m", "right_without"].any()
    assert necessity(rows, "latent_text")["necessity"].tolist()[1] == HARMFUL


def test_labels_are_counted_over_all_and_by_domain():
    counts = count_necessity(necessity(study("placeholder latent")))
    assert len(counts) == 3 * len(LABELS)
    index = counts.set_index(["domain", "necessity"])
    assert index.loc["all", "count"].to_dict() == {NEEDED: 2, HARMFUL: 1, RIGHT: 1, WRONG: 1}
    assert index.loc["y", "count"].to_dict() == {NEEDED: 1, HARMFUL: 0, RIGHT: 0, WRONG: 1}
    line = index.loc[("all", NEEDED)]
    expected = accuracy_interval([True, False, False, False, True])
    assert (line["n"], line["share"]) == (5, 0.4)
    assert (line["share_low"], line["share_high"]) == (expected.low, expected.high)

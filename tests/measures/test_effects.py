import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentlab.measures.effects import (
    EFFECT,
    EFFECTS,
    MOVEMENT,
    mediated_share,
    outcomes,
    summary_of,
    with_effects,
)

Y = ["y_clean", "y_perturbed", "y_direct", "y_indirect"]
numbers = st.floats(-50, 50)


@given(st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=1, max_size=20))
def test_effects_decompose(values):
    rows = with_effects(pd.DataFrame(values, columns=Y))
    assert (rows["te"] - (rows["nde"] + rows["tie"])).abs().max() < 1e-12
    assert (rows["te"] - (rows["nie"] + rows["tde"])).abs().max() < 1e-12


def test_outcomes_by_hand():
    said = [np.log([0.7, 0.2, 0.1]), np.log([0.1, 0.3, 0.6])]
    found = outcomes(said, chosen=[0, 0], expected=[None, 2])
    assert found["log_odds"] == pytest.approx([np.log(0.7 / 0.3), np.log(0.1 / 0.9)])
    assert found["probability"] == pytest.approx([0.7, 0.1])
    assert found["flip"].tolist() == [0, 1]
    assert np.isnan(found["follows"][0])
    assert found["follows"][1] == 1


def rows(n=40, te=-8.0, measure=EFFECT):
    rng = np.random.default_rng(0)
    total = te + rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "model": "m",
            "data": "d",
            "measure": measure,
            "perturbation": "relink",
            "mediator": "latents",
            "part": "latent",
            "steps": "all",
            "outcome": "log_odds",
            "domain": ["a", "b"] * (n // 2),
            "y_clean": 0.0,
            "y_perturbed": total,
            "y_direct": 0.25 * total,
            "y_indirect": 0.75 * total,
        }
    )
    return with_effects(frame)


def test_summary_has_lines_for_all_and_each_domain():
    lines = summary_of(rows())
    assert lines["domain"].tolist() == ["all", "a", "b"]
    assert lines["n"].tolist() == [40, 20, 20]
    total = lines.iloc[0]
    for name in EFFECTS:
        assert total[f"{name}_low"] < total[name] < total[f"{name}_high"]
    assert [total[f"share{end}"] for end in ("", "_low", "_high")] == pytest.approx([0.75] * 3)
    assert total["share_note"] == ""


def test_a_share_of_nothing_is_left_out_with_its_reason():
    line = summary_of(rows(te=0.0)).iloc[0]
    assert np.isnan(line["share"])
    assert "includes 0" in line["share_note"]
    assert mediated_share([0, 0], [0, 0]) == (None, "the perturbation has no effect")


def test_a_distance_that_is_unknown_for_some_gets_no_mean():
    moved = rows(measure=MOVEMENT).assign(cosine=0.5, centred=0.1, sd=1.0, kept=1.0, jaccard=1.0)
    moved.loc[3, "kept"] = np.nan
    line = summary_of(moved).iloc[0]
    assert line["sd"] == line["sd_low"] == 1
    assert np.isnan(line["kept"])

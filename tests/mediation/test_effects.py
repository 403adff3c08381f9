import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentlab.mediation.effects import (
    mediated_share,
    outcomes,
    reading,
    with_effects,
)

Y = ["y_clean", "y_perturbed", "y_direct", "y_indirect"]
numbers = st.floats(-50, 50)


@given(st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=1, max_size=20))
def test_effects_decompose(values):
    rows = with_effects(pd.DataFrame(values, columns=Y))
    assert (rows["te"] - (rows["nde"] + rows["tie"])).abs().max() < 1e-12
    assert (rows["te"] - (rows["nie"] + rows["tde"])).abs().max() < 1e-12
    assert (rows["interaction"] - (rows["te"] - rows["nde"] - rows["nie"])).abs().max() < 1e-12


@given(st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=1, max_size=20))
def test_the_other_way_round_the_two_indirect_effects_change_places(values):
    there = with_effects(pd.DataFrame(values, columns=Y))
    back = with_effects(pd.DataFrame(values, columns=[Y[1], Y[0], Y[3], Y[2]]))
    for one, other in (("te", "te"), ("nie", "tie"), ("tie", "nie"), ("nde", "tde")):
        pd.testing.assert_series_equal(back[one], -there[other], check_names=False)


MECHANISMS = {
    "either is enough": (lambda direct, latent: direct or latent, (0, 1), "redundant"),
    "it takes both": (
        lambda direct, latent: direct and latent,
        (1, 0),
        "necessary, not sufficient",
    ),
    "latents only": (lambda direct, latent: latent, (1, 1), "necessary and sufficient"),
    "past the latents": (lambda direct, latent: direct, (0, 0), "bypassed"),
    "each carries half": (lambda direct, latent: (direct + latent) / 2, (0.5, 0.5), ""),
}
"""How an answer depends on evidence by two routes, both shares of a deletion, and their reading."""


def four_runs(mechanism, before, after, n=20):
    """Effects of a change of the evidence, where Y is what a mechanism makes of both routes."""
    runs = {
        "y_clean": mechanism(before, before),
        "y_perturbed": mechanism(after, after),
        "y_direct": mechanism(after, before),
        "y_indirect": mechanism(before, after),
    }
    return with_effects(pd.DataFrame([{name: float(y) for name, y in runs.items()}] * n))


def shares(effects):
    return [mediated_share(effects[name], effects["te"])[0] for name in ("nie", "tie")]


@pytest.mark.parametrize("case", MECHANISMS)
def test_what_a_deletion_says_of_latents_follows_from_the_truth_table(case):
    mechanism, expected, word = MECHANISMS[case]
    effects = four_runs(mechanism, before=1, after=0)
    found = shares(effects)
    assert [share.mean for share in found] == pytest.approx(expected)
    assert reading(*found) == word
    interaction = (effects["interaction"] / effects["te"]).mean()
    assert interaction == pytest.approx(expected[1] - expected[0])


@pytest.mark.parametrize("case", MECHANISMS)
def test_evidence_that_is_added_shows_both_shares_the_other_way_round(case):
    mechanism, expected, _ = MECHANISMS[case]
    found = shares(four_runs(mechanism, before=0, after=1))
    assert [share.mean for share in found] == pytest.approx(expected[::-1])


def test_a_substitution_cannot_tell_redundant_from_unused_latents():
    # Evidence for the old answer is 1 and for the new one -1; Y is the old one's margin. Either
    # route alone (the other one at 0) gives the full answer, and where they disagree one wins.
    def picture_wins(direct, latent):
        return direct or latent

    def latents_win(direct, latent):
        return latent or direct

    def vote(direct, latent):
        return np.sign(direct + latent)

    expected = {picture_wins: (0, 0), latents_win: (1, 1), vote: (0.5, 0.5)}
    for mechanism, numbers in expected.items():
        substituted = shares(four_runs(mechanism, before=1, after=-1))
        assert [share.mean for share in substituted] == pytest.approx(numbers)
        deleted = shares(four_runs(mechanism, before=1, after=0))
        assert reading(*deleted) == "redundant"


def test_log_odds_that_add_up_hide_what_is_redundant_to_the_answer():
    def margin(direct, latent):
        return 4 * direct + 4 * latent - 3  # nats: either source turns the answer

    found = shares(four_runs(margin, before=1, after=0))
    assert [share.mean for share in found] == pytest.approx([0.5, 0.5])
    flipped = shares(four_runs(lambda *routes: margin(*routes) < 0, before=1, after=0))
    assert reading(*flipped) == "redundant"


def test_outcomes_by_hand():
    said = [np.log([0.7, 0.2, 0.1]), np.log([0.1, 0.3, 0.6])]
    found = outcomes(said, chosen=[0, 0], expected=[None, 2])
    assert found["log_odds"] == pytest.approx([np.log(0.7 / 0.3), np.log(0.1 / 0.9)])
    assert found["probability"] == pytest.approx([0.7, 0.1])
    assert found["flip"].tolist() == [0, 1]
    assert np.isnan(found["follows"][0])
    assert found["follows"][1] == 1


def test_a_share_of_nothing_is_left_out_with_its_reason():
    assert mediated_share([0, 0], [0, 0]) == (None, "the perturbation has no effect")
    none, why = mediated_share([1, -1, 2, -2], [5, -5, 6, -6])
    assert none is None
    assert "includes 0" in why

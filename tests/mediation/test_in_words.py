"""Mediation in words: what an early mark does runs through the rationale, the last past it."""

import pytest

from latentlab.checkpoint import load
from latentlab.data import load_data
from latentlab.errors import UserError
from latentlab.mediation.config import MediationConfig
from latentlab.mediation.effects import EFFECTS

DATA = load_data("benchmark:size=6")


def test_a_rationale_carries_what_it_tells(measured):
    config = MediationConfig(perturb=("relink",), hop=(1, 4), batch_size=6)
    rows = measured("mediation", config, load("cot"), DATA)
    assert set(rows["mediator"]) == {"transcript"} and set(rows["part"]) == {"rationale"}
    odds = rows[rows["outcome"] == "log_odds"]
    sham = odds[odds["perturbation"] == "none"]
    assert (sham[list(EFFECTS)] == 0).all(axis=None)
    first, last = (odds[odds["hop"] == hop].mean(numeric_only=True) for hop in (1, 4))
    assert first["te"] < -5 and last["te"] < -5
    assert first["nie"] / first["te"] > 0.8 and first["tie"] / first["te"] > 0.8
    assert abs(last["nie"] / last["te"]) < 0.2 and abs(last["tie"] / last["te"]) < 0.2


def test_who_writes_nothing_has_no_mediator(measured):
    with pytest.raises(UserError, match="nothing that could mediate"):
        measured("mediation", MediationConfig(perturb=("relink",)), load("no_cot"), DATA)

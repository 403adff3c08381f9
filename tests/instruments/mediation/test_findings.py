"""Sentences say what the numbers allow and no more."""

import numpy as np
import pandas as pd
import pytest

from latentlab.instruments.mediation.findings import (
    conclusion,
    movement_table,
    sham,
    share_table,
    show_tables,
)
from latentlab.measures.effects import DISTANCES, EFFECT, EFFECTS, MOVEMENT


def ends(name, value, low=None, high=None):
    low, high = (value if end is None else end for end in (low, high))
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def line(perturbation, mediator="latents", part="latent", share=(0.9, 0.8, 1.0), te=-10.0, **rest):
    base = {"model": "relay", "data": "benchmark", "domain": "all", "n": 200, "share_note": ""}
    base |= {"measure": EFFECT, "perturbation": perturbation, "mediator": mediator}
    base |= {"part": part, "steps": "all", "outcome": "log_odds"}
    for name in EFFECTS:
        base |= ends(name, te)
    return {**base, **ends("share", *share), **rest}


def moved(perturbation, part, steps, sd):
    base = line(perturbation, "", part, (np.nan,) * 3, np.nan, outcome="", steps=steps)
    for name in DISTANCES:
        base |= ends(name, sd)
    return {**base, "measure": MOVEMENT}


SHAM = [line("none", share=(np.nan,) * 3, te=0.0), moved("none", "latent_text", "1", 0.0)]


def test_a_share_stands_with_its_effect_its_movement_and_the_sham():
    lines = [
        *SHAM,
        line("relink", share=(0.95, 0.9, 1.0)),
        line("relink", "slots", share=(1.0, 1.0, 1.0)),
        line("relink", domain="digits", share=(0.1, 0.1, 0.1)),
        moved("relink", "ordinary", "", 0.02),
        moved("relink", "latent_text", "1", 1.25),
    ]
    assert conclusion(pd.DataFrame(lines)) == [
        "relay: relink changes the log-odds of its answer by -10 nats [-10, -10] (n = 200); of "
        "that carry: latents 95.0 % [90.0, 100.0]; latents with slots 100.0 % [100.0, 100.0]. "
        "It moves the latent text of steps 1 to 1 by 1.25 [1.25, 1.25] SD, "
        "an ordinary token by 0.02 [0.02, 0.02] SD. Sham 0.0."
    ]


def test_nothing_is_said_of_shares_that_are_not_there():
    (said,) = conclusion(pd.DataFrame([*SHAM, line("blank", share=(np.nan,) * 3)]))
    assert "nothing to mediate" in said
    assert "nan" not in said


def test_a_control_stands_next_to_what_it_controls():
    lines = [*SHAM, line("mask_needed hop 2", te=-9.0), line("mask_other", te=-0.1)]
    (said,) = conclusion(pd.DataFrame(lines))
    assert "mask_needed hop 2 changes them by -9 nats [-9, -9], its control mask_other by -0.1" in (
        said
    )


def test_a_sham_that_is_not_zero_is_told():
    broken = pd.DataFrame([line("none", share=(np.nan,) * 3, te=1e-6), *SHAM[1:]])
    assert sham(broken) == pytest.approx(1e-6)
    assert "Sham 1e-06: the instrument itself disturbs the model." in conclusion(broken)[0]


def test_tables_name_parts_once_where_a_model_has_one(capsys):
    lines = [*SHAM]
    for mediator in ("latents", "slots"):
        lines += [line("relink", mediator, part) for part in ("latent_text", "latent")]
    lines += [moved("relink", "ordinary", "", 0.1), moved("relink", "latent_text", "1", 1.0)]
    frame = pd.DataFrame(lines)
    table, shares = share_table(frame[frame["perturbation"] == "relink"])
    assert shares == ["latent text", "latent text with slots"]
    assert table["te"].tolist() == [-10.0]
    assert movement_table(frame[frame["perturbation"] == "relink"])[1] == [
        "perturbation",
        "ordinary token",
        "latent text 1",
    ]
    show_tables(frame[frame["perturbation"] == "relink"])
    assert "90.0 [80.0, 100.0]" in capsys.readouterr().out

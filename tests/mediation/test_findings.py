"""Sentences and tables say what the numbers allow and no more."""

import numpy as np
import pandas as pd
import pytest

from latentlab.mediation.effects import EFFECTS, SHARED
from latentlab.mediation.findings import conclusion, sham
from latentlab.mediation.lines import DISTANCES
from latentlab.mediation.summary import EFFECT, MOVEMENT
from latentlab.mediation.tables import movement_table, share_table, show_tables

NO_SHARE = (np.nan,) * 3


def ends(name, value, low=None, high=None):
    low, high = (value if end is None else end for end in (low, high))
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def line(perturbation, mediator="latents", part="latent", share=(0.9, 0.8, 1.0), te=-10.0, **rest):
    base = {"model": "relay", "data": "benchmark", "domain": "all", "n": 200, "share_note": ""}
    base |= {"measure": EFFECT, "perturbation": perturbation, "mediator": mediator, "hop": ""}
    base |= {"part": part, "steps": "all", "outcome": "log_odds", "reading": ""}
    tie = rest.pop("tie", share)
    for name in EFFECTS:
        base |= ends(name, te) | {f"{name}_smallest": 0.5}
    for name in SHARED:
        base |= ends(f"{name}_share", *(tie if name == "tie" else share))
    return {**base, **rest}


def moved(perturbation, part, steps, sd, hop=""):
    base = line(perturbation, "", part, NO_SHARE, np.nan, outcome="", steps=steps, hop=hop)
    for name in DISTANCES:
        base |= ends(name, sd)
    return {**base, "measure": MOVEMENT}


SHAM = [line("none", share=NO_SHARE, te=0.0), moved("none", "latent_text", "1", 0.0)]


def test_both_shares_stand_with_their_effect_and_the_sham():
    lines = [
        *SHAM,
        line("restart", share=(0.34, 0.3, 0.4), tie=(0.71, 0.7, 0.8)),
        line("restart", "slots", share=(1.0, 1.0, 1.0)),
        line("restart", domain="digits", share=(0.1, 0.1, 0.1)),
        moved("restart", "ordinary", "", 0.02),
        moved("restart", "latent_text", "1", 1.25),
    ]
    assert conclusion(pd.DataFrame(lines)) == [
        "relay: Another start changes the log-odds of its answer by −10.00 nats [−10.00, −10.00] "
        "(n = 200): 34 % [30, 40] of it through the latents (keeping it averts 71 % [70, 80]). The "
        "same question once more changes nothing."
    ]
    # How far it moves them, next to an ordinary token, stands in the table.
    table, names = movement_table(pd.DataFrame(lines))
    assert names == ["perturbation", "ordinary token", "latent text 1"]
    row = table[table["perturbation"] == "restart"].iloc[0]
    assert (row["ordinary token"], row["latent text 1"]) == (0.02, 1.25)


def test_the_first_and_the_last_hop_stand_apart_from_those_between():
    vision = {"part": "latent_vision", "share": (0.01, 0, 0.02)}
    lines = [
        *(line("mask_needed", hop=hop, te=-9.0) for hop in "1234"),
        line("mask_needed", hop="first", **vision, reading="bypassed"),
        line("mask_needed", hop="between", **vision, tie=(0.7, 0.6, 0.8), reading="redundant"),
        line("mask_needed", hop="last", share=(0.003, 0, 0.01), te=-8.0),
        *(moved("mask_needed", "ordinary", "", 0.1, hop) for hop in "1234"),
        *(moved("mask_needed", "latent_text", "1", float(hop), hop) for hop in "1234"),
        line("mask_other", share=NO_SHARE, te=-0.1),
    ]
    for hop in (float("nan"), ""):  # as it is read from disk, and as it is made
        (said,) = conclusion(pd.DataFrame([*SHAM, *lines]).replace({"hop": {"": hop}}))
        between, others, control = said.split(". ")
        first, last = others.split("; at the last hop ")
        assert between.startswith("relay: Blanking a needed cell at a middle hop changes")
        assert between.endswith(
            "through the latent vision (keeping it averts 70 % [60, 80]: redundant)"
        )
        assert first.startswith("At the first hop the change is −10.00 nats [−10.00, −10.00]")
        assert first.endswith("(latent vision bypassed)")
        assert last.startswith("the change is −8.00 nats [−8.00, −8.00]")
        assert last.endswith("(latents 0.3 % [0.0, 1.0], kept 0.3 % [0.0, 1.0])")
        assert control == (
            "Blanking another cell, the control, changes them by −0.10 nats [−0.10, −0.10]; the "
            "same question once more changes nothing."
        )
        moved_by = movement_table(pd.DataFrame([*SHAM, *lines]))[0].set_index("perturbation")
        assert moved_by.loc["mask_needed hop 2", "latent text 1"] == 2


def test_what_is_exactly_nothing_is_called_so():
    nothing = dict.fromkeys(("nie", "tie"), 0.0)
    unused = line("blank", share=(0.0, 0.0, 0.0), reading="bypassed") | nothing
    (said,) = conclusion(pd.DataFrame([*SHAM, unused]))
    assert ": bypassed, exactly 0)." in said


def test_nothing_is_said_of_shares_that_are_not_there():
    (said,) = conclusion(pd.DataFrame([*SHAM, line("blank", share=NO_SHARE)]))
    assert "nothing to mediate (more than 0.5 nats would have shown)" in said
    assert "nan" not in said
    lines = [line("relink", hop="between"), line("relink", hop="last", share=NO_SHARE, te=0.1)]
    (said,) = conclusion(pd.DataFrame([*SHAM, *lines]))
    assert "At the last hop the change is +0.10 nats [+0.10, +0.10], too little to be" in said
    assert "nan" not in said


@pytest.mark.parametrize("kept", [{"mediator": "slots"}, {"part": "latent"}])
def test_what_alone_was_measured_is_what_is_told(kept):
    frame = pd.DataFrame([*SHAM, line("relink", hop="between", **kept)])
    (said,) = conclusion(frame)
    assert "90 % [80, 100] of it through" in said
    assert ("all slots of" in said) == ("mediator" in kept)


def test_a_sham_that_is_not_zero_is_told():
    broken = pd.DataFrame([line("none", share=NO_SHARE, te=1e-6), *SHAM[1:]])
    assert sham(broken) == pytest.approx(1e-6)
    assert (
        "The same question once more changes 1e-06: the instrument itself disturbs"
        in conclusion(broken)[0]
    )


def test_tables_name_parts_once_where_a_model_has_one(capsys):
    lines = [*SHAM]
    for mediator in ("latents", "slots"):
        lines += [line("relink", mediator, part, hop="2") for part in ("latent_text", "latent")]
    lines += [line("relink", hop="between")]
    lines += [moved("relink", part, "", 0.1, "2") for part in ("ordinary",)]
    lines += [moved("relink", "latent_text", "1", 1.0, "2")]
    frame = pd.DataFrame(lines)
    table = share_table(frame)
    assert table["mediator"].tolist() == ["", "latent text", "latent text with slots"]
    assert table["perturbation"].tolist() == ["none", *2 * ["relink hop 2"]]
    assert table["te"].tolist() == [0.0, -10.0, -10.0]
    assert movement_table(frame[frame["perturbation"] == "relink"])[1] == [
        "perturbation",
        "ordinary token",
        "latent text 1",
    ]
    show_tables(frame)
    assert "90.0 [80.0, 100.0]" in capsys.readouterr().out

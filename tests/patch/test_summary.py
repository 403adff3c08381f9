"""Recovery is what its formula says, and a line holds what its rows say."""

import numpy as np
import pandas as pd
import pytest

from latentlab.measures.significance import mcnemar
from latentlab.measures.statistics import smallest_effect
from latentlab.patch.readout import NOWHERE
from latentlab.patch.summary import recovery_interval, summary_of

CLEAN, CORRUPT = np.array([4.0, 6.0, 5.0, 7.0] * 10), np.array([-4.0, -2.0, -6.0, -5.0] * 10)


def test_recovery_is_a_ratio_of_means():
    patched = CORRUPT + np.array([1.0, 9.0, 0.0, 4.0] * 10)
    found = recovery_interval(patched, CLEAN, CORRUPT)
    assert found.mean == pytest.approx((14 / 4) / (39 / 4))
    assert found.low < found.mean < found.high
    assert found.n == 40


@pytest.mark.parametrize(("patched", "value"), [(CLEAN, 1), (CORRUPT, 0)])
def test_all_and_nothing_are_exact(patched, value):
    found = recovery_interval(patched, CLEAN, CORRUPT)
    assert (found.mean, found.low, found.high) == (value, value, value)


def test_nothing_can_be_recovered_where_the_runs_do_not_differ():
    noise = np.random.default_rng(0).normal(size=40)
    assert recovery_interval(CLEAN, noise, -noise) is None


def rows(mode, patched, hit, before, changed, slot="text 1", kind="activation patching", **facts):
    n = len(CLEAN)
    cell = {"component": "resid_post", "layer": 1, "layers": 1, "head": None, "slot": slot}
    cell |= NOWHERE | facts
    return pd.DataFrame(
        {"model": "m", "data": "d", "mode": mode, "kind": kind, **cell, "control_of": ""}
        | {"example": range(n), "clean": CLEAN, "corrupt": CORRUPT, "patched": patched}
        | {"hit": hit, "hit_before": before, "changed": changed}
    )


def test_a_line_holds_what_its_rows_say():
    half, no, yes = np.arange(40) < 20, np.zeros(40, bool), np.ones(40, bool)
    frame = pd.concat(
        [
            rows("restore", CLEAN, half, no, half),
            rows("restore", CORRUPT, no, no, no, slot="text 2"),
            rows("corrupt", CORRUPT, half, no, half),
            rows("knock-out", CORRUPT, half, yes, ~half, slot="answer -/-> image"),
        ],
        ignore_index=True,
    )
    restored, kept, corrupted, cut = summary_of(frame).to_dict("records")
    assert (restored["recovery"], corrupted["recovery"]) == (1, 0)
    assert np.isnan(cut["recovery"])
    assert np.isnan(restored["accuracy"])
    assert [line["flips"] for line in (restored, kept, cut)] == [0.5, 0, 0.5]
    assert (cut["accuracy"], cut["delta"]) == (0.5, -0.5)
    total = (CLEAN - CORRUPT).mean()
    effects = [line["indirect_effect"] for line in (restored, kept, corrupted, cut)]
    assert effects == pytest.approx([total, 0, -total, -total])
    # Two lines of one mode are adjusted together, others on their own.
    assert restored["p_holm"] == pytest.approx(2 * restored["p_mcnemar"])
    assert kept["p_mcnemar"] == 1
    assert cut["p_holm"] == cut["p_mcnemar"] < 0.001


def test_shams_are_in_no_family_and_what_moves_nothing_could_be_told_by_no_size():
    half, no = np.arange(40) < 9, np.zeros(40, bool)
    cells = [rows("restore", CLEAN, half, no, half, slot=f"text {step}") for step in (1, 2, 3)]
    sham = rows("restore", CORRUPT, no, no, no, slot="sham", control="sham")
    lines = summary_of(pd.concat([*cells, sham], ignore_index=True))
    assert lines["family"].tolist() == [3, 3, 3, 0]
    p = mcnemar(half, no)
    assert lines["p_holm"].tolist() == [3 * p, 3 * p, 3 * p, 1]
    moved = smallest_effect(CLEAN - CORRUPT, answers=False)
    assert lines["indirect_effect_smallest"].iloc[0] == moved == lines["total_effect_smallest"][0]
    assert np.isnan(lines["indirect_effect_smallest"].iloc[3])


def test_pairs_that_share_scans_widen_every_interval():
    half, yes = np.arange(40) % 8 < 4, np.ones(40, bool)
    noisy = CORRUPT + np.repeat(np.random.default_rng(1).normal(5, 2, size=10), 4)
    for mode, names in (("restore", ["recovery", "flips"]), ("knock-out", ["accuracy", "delta"])):
        frame = rows(mode, noisy, half, yes if mode == "knock-out" else ~yes, half)
        naive = summary_of(frame).iloc[0]
        shared = summary_of(frame.assign(cluster=[[f"scan {i // 4}"] for i in range(40)])).iloc[0]
        for name in [*names, "indirect_effect"]:
            assert shared[name] == naive[name]
            assert shared[f"{name}_low"] < naive[f"{name}_low"]
            assert shared[f"{name}_high"] > naive[f"{name}_high"]

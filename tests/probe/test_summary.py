"""Lines of probes by hand: selectivity against shuffled labels, against other hops, and the gap."""

import numpy as np
import pandas as pd
import pytest

from latentlab.measures.significance import holm, mcnemar
from latentlab.measures.statistics import paired_difference
from latentlab.probe.summary import CELL, answer_lines, gap_lines, probe_lines

N = 10


def cell(right: int, place="slot", step=1, layer=0, target="object 1", control=1, **other):
    """Rows of a cell in which the first `right` of ten answers are right."""
    who = {"model": "m", "data": "d", "kind": "probe", "place": place, "step": step}
    return pd.DataFrame(
        {
            **who,
            "layer": layer,
            "target": target,
            "label": ["a"] * 6 + ["b"] * 4,
            "correct": np.arange(N) < right,
            "control": np.arange(N) < control,
            **other,
        }
    )


def test_selectivities_by_hand():
    parts = [cell(9), cell(4, target="object 0"), cell(6, target="object 2")]
    parts += [cell(10, target="cell 1"), cell(10, target="domain", control=5)]
    lines = probe_lines(pd.concat(parts)).set_index("target")
    own = lines.loc["object 1"]
    assert (own["n"], own["value"], own["control"], own["chance"]) == (N, 0.9, 0.1, 0.6)
    assert own["selectivity"] == pytest.approx(0.8)
    assert own["selectivity_low"] < 0.8 < own["selectivity_high"] <= 1
    assert (own["best_other"], own["best_other_target"]) == (0.6, "object 2")
    assert own["step_selectivity"] == pytest.approx(0.3)
    assert lines.loc["object 2", "step_selectivity"] == pytest.approx(-0.3)
    assert lines.loc["object 0", "step_selectivity"] == pytest.approx(-0.5)
    # Only objects are compared with objects; a cell or a domain has no rival here.
    assert lines.loc[["cell 1", "domain"], "step_selectivity"].isna().all()
    first_nine, first = np.arange(N) < 9, np.arange(N) < 1
    assert own["p_mcnemar"] == mcnemar(first_nine, first)
    assert own["p_other"] == mcnemar(first_nine, np.arange(N) < 6)
    assert lines["p_holm"].tolist() == pytest.approx(list(holm(lines["p_mcnemar"].to_numpy())))
    rivals = lines["p_other"].dropna()
    assert lines["p_other_holm"].dropna().tolist() == pytest.approx(list(holm(rivals.to_numpy())))


def test_several_shuffles_are_averaged_and_all_have_to_be_beaten():
    right = np.arange(N) < 9
    shuffles = {"control_1": np.arange(N) < 1, "control_2": np.arange(N) < 6}
    (line,) = probe_lines(cell(9, **shuffles)).to_dict("records")
    assert (line["control"], line["shuffles"]) == (pytest.approx(0.35), 2)
    assert line["control_spread"] == pytest.approx(np.std([0.1, 0.6], ddof=1))
    assert line["selectivity"] == pytest.approx(0.55)
    assert line["p_mcnemar"] == mcnemar(right, shuffles["control_2"])
    # Shuffles that differ so much say little about others: wider than the examples alone make it.
    alone = paired_difference(right, (1.0 * shuffles["control_1"] + shuffles["control_2"]) / 2)
    assert line["selectivity_low"] < alone.low and line["selectivity_high"] > alone.high
    # Shuffles that agree in every example count once.
    same = {"control_1": np.arange(N) < 1, "control_2": np.arange(N) < 1}
    (twice,) = probe_lines(cell(9, **same)).to_dict("records")
    (once,) = probe_lines(cell(9)).to_dict("records")
    for name in ("selectivity", "selectivity_low", "selectivity_high", "p_mcnemar"):
        assert twice[name] == pytest.approx(once[name])


def test_each_model_is_adjusted_for_its_own_cells_and_without_hops_there_are_no_rivals():
    one = cell(9, target="domain")
    two = pd.concat([cell(9, target=name, model="other") for name in ("domain", "topic")])
    lines = probe_lines(pd.concat([one, two]))
    raw = lines["p_mcnemar"].iloc[0]
    assert lines["p_holm"].tolist() == pytest.approx([raw, 2 * raw, 2 * raw])
    assert "p_other_holm" not in lines


def test_the_gap_compares_the_best_layers_at_the_last_latent_and_downstream():
    answer = {"target": "answer"}
    parts = [
        cell(9, place="slot", step=1, layer=0, **answer),  # not the last step
        cell(2, place="latent_text", step=2, layer=-1, **answer),
        cell(3, place="slot", step=2, layer=0, **answer),
        cell(5, place="slot", step=2, layer=1, **answer),
        cell(7, place="answer", step=3, layer=0, **answer),
        cell(8, place="answer", step=3, layer=1, **answer),
        cell(10, place="answer", step=3, layer=1, target="object 1"),
    ]
    rows = pd.concat(parts)
    gaps = pd.DataFrame(gap_lines(probe_lines(rows), rows)).set_index("place")
    assert list(gaps.index) == ["latent_text", "slot"]
    assert gaps.loc["slot", "value"] == pytest.approx(0.3)
    assert gaps.loc["slot", ["control", "best_other", "layer"]].tolist() == [0.5, 0.8, 1]
    assert gaps.loc["latent_text", "value"] == pytest.approx(0.6)
    assert gaps["n"].tolist() == [N, N]
    assert (gaps["kind"] == "gap").all()
    assert set(CELL) <= {*gaps.columns, "place"}


def test_answers_have_a_control_or_none():
    only = cell(7, kind="latent-only", layer=None, control=2)
    whole = cell(9, kind="left alone", layer=None).assign(control=None)
    lines = answer_lines(pd.concat([only, whole])).set_index("kind")
    assert lines.loc["latent-only", "selectivity"] == pytest.approx(0.5)
    assert lines.loc["left alone", "value"] == 0.9
    assert np.isnan(lines.loc["left alone", "control"])

import numpy as np
import pandas as pd
import pytest

from latentlab.mediation.effects import EFFECTS, SHARED, with_effects
from latentlab.mediation.summary import EFFECT, MOVEMENT, single_hops, summary_of


def rows(n=40, te=-8.0, measure=EFFECT, hop=None):
    rng = np.random.default_rng(0)
    total = te + rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "model": "m",
            "data": "d",
            "measure": measure,
            "perturbation": "mask_needed",
            "hop": hop,
            "hops": 2,
            "example": [f"e{i}" for i in range(n)],
            "mediator": "latents",
            "part": "latent",
            "steps": "all",
            "outcome": "log_odds",
            "domain": ["a", "b"] * (n // 2),
            "y_clean": 0.0,
            "y_perturbed": total,
            "y_direct": 0.1 * total,
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
    for name, share in {"nie": 0.75, "tie": 0.9, "interaction": 0.15}.items():
        ends = [total[f"{name}_share{end}"] for end in ("", "_low", "_high")]
        assert ends == pytest.approx([share] * 3)
    assert total["share_note"] == ""
    assert total["reading"] == "necessary and sufficient"
    assert total["hop"] == ""


def summarised(*frames):
    """Lines over all domains, by hop."""
    lines = summary_of(pd.concat(frames))
    return lines[lines["domain"] == "all"].set_index("hop")


def test_hops_have_lines_of_their_own_and_first_and_last_ones_stand_apart():
    of_hops = [rows(te=te, hop=hop) for hop, te in ((1, -8.0), (2, -2.0))]
    lines = summarised(*of_hops, rows().assign(perturbation="restart"))
    assert lines.index.tolist() == ["1", "2", "", "first", "last"]
    assert lines.loc["", "reading"] == ""  # a substitution has none
    assert (lines["n"] == 40).all()
    for placed, single in (("first", "1"), ("last", "2")):
        assert lines.loc[placed, "te"] == pytest.approx(lines.loc[single, "te"])
    only = summarised(rows(hop=1).assign(hops=1))
    assert only.index.tolist() == ["1", "last"]


def test_a_question_counts_once_however_many_hops_lie_between_its_first_and_last():
    of_hops = [rows(te=-te, hop=hop) for hop, te in ((1, 8.0), (2, 4.0), (3, 1.0), (4, 2.0))]
    lines = summarised(*(frame.assign(hops=4) for frame in of_hops))
    assert lines.loc["between", "n"] == 40
    assert lines.loc["between", "te"] == pytest.approx(lines.loc[["2", "3"], "te"].mean())
    assert set(single_hops(lines.reset_index())["label"]) == {
        f"mask_needed hop {hop}" for hop in (1, 2, 3, 4)
    }


def test_the_smallest_effect_would_be_found_four_times_out_of_five():
    sample = rows()
    smallest = summarised(sample).loc["", "te_smallest"]
    rng = np.random.default_rng(0)
    drawn = rng.normal(smallest, sample["te"].std(), size=(4000, len(sample)))
    z = drawn.mean(1) / (drawn.std(1, ddof=1) / len(sample) ** 0.5)
    assert (np.abs(z) > 1.96).mean() == pytest.approx(0.8, abs=0.03)


def test_a_share_of_nothing_is_left_out_with_its_reason():
    line = summary_of(rows(te=0.0)).iloc[0]
    assert line[[f"{name}_share" for name in SHARED]].isna().all()
    assert line["reading"] == ""
    assert "includes 0" in line["share_note"]


def test_a_distance_that_is_unknown_for_some_gets_no_mean():
    moved = rows(measure=MOVEMENT).assign(cosine=0.5, centred=0.1, sd=1.0, kept=1.0, jaccard=1.0)
    moved.loc[3, "kept"] = np.nan
    line = summary_of(moved).iloc[0]
    assert line["sd"] == line["sd_low"] == 1
    assert np.isnan(line["kept"])

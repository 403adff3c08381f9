"""The benchmark compares two ways to the same answer, and counts what it says it counts."""

from dataclasses import replace

import pandas as pd
import pytest
import torch

from benchmarks import speed
from benchmarks.sides import Outcome
from latentlab.reasoning.plan import LatentPlan
from latentlab.training.tiny import TinyConfig

TINY = TinyConfig(hidden=32, layers=2, heads=2, feed_forward=64, vision_layers=1, vision_hidden=32)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    for name, grid in (("organism", 4), ("large", 3)):
        size = speed.Size(TINY, LatentPlan(steps=2, k=2), grid)
        monkeypatch.setitem(speed.SIZES, name, size)


@pytest.mark.parametrize("size", ["organism", "large"])
def test_both_sides_agree_and_leave_a_row_each_time(size):
    config = speed.SpeedConfig(repeats=2, tokens=3)
    rows = pd.DataFrame(speed.measure(size, 2, config))
    assert rows["side"].tolist() == ["engine", "recomputing"] * 2
    assert (rows["apart"] <= speed.TOLERANCE).all()
    assert (rows["latent_seconds"] <= rows["seconds"]).all()
    (line,) = speed.summarise(rows).to_dict("records")
    assert line["n"] == 2
    assert line["peak_bytes_recomputing"] > line["peak_bytes_engine"] > 0
    assert line["seconds_ratio_low"] <= line["seconds_ratio"] <= line["seconds_ratio_high"]


def test_peak_counts_what_is_alive_at_once():
    def run():
        one = torch.zeros(1000, 250)
        del one
        two = torch.ones(1000, 500)
        return two.sum()

    assert 2_000_000 <= speed.peak_bytes(run) < 2_100_000


def test_sides_that_disagree_are_not_compared():
    one = Outcome(torch.tensor([[[0, 1]]]), torch.zeros(1, 1, 3), 0.0, 0.0)
    assert speed.disagreement(one, one) == 0
    for other in (replace(one, picks=one.picks + 1), replace(one, logits=one.logits + 1e-3)):
        with pytest.raises(RuntimeError, match="disagree"):
            speed.disagreement(one, other)

"""The benchmark of training compares sides that train on the same examples."""

import pandas as pd
import pytest
import torch

from benchmarks import training, training_sides
from benchmarks.__main__ import LINES
from benchmarks.training import TrainingBenchmarkConfig
from latentlab.training.tiny import TinyConfig, tiny_reasoner

SMALL = TinyConfig(hidden=32, layers=2, heads=2, feed_forward=64, vision_layers=1, vision_hidden=32)


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(training_sides, "TINY", SMALL)
    monkeypatch.setattr(training_sides, "medium", lambda plan: tiny_reasoner(plan, SMALL))


def test_groups_hold_the_same_examples_and_less_padding():
    config = TrainingBenchmarkConfig(parts=("padding",), examples=48, repeats=1)
    rows = pd.DataFrame(training.measure(config))
    lines = training.summarise(rows).set_index(["part", "side"])["padding"]
    for name in ("mixed", "hops"):
        grouped, plain = (lines[f"padding, {name}", side] for side in ("grouped", "as they come"))
        assert 0 <= grouped < plain < 1


def test_batches_made_ahead_are_those_made_when_asked(monkeypatch):
    seen = []
    monkeypatch.setattr(training_sides, "step", lambda objective, batch: seen.append(batch))
    sides = dict(training_sides.waiting_sides(2))["waiting, organism"]
    for run, told in sides.values():
        run()
        assert 0 <= told["waiting"] <= 1
    for at in (0, 1):
        ready, asked, ahead = (seen[at + 2 * side] for side in range(3))
        for other in (asked, ahead):
            assert torch.equal(ready.prompts.input_ids, other.prompts.input_ids)
            assert torch.equal(ready.text.ids, other.text.ids)
            pixels = (batch.prompts.pixels["pixel_values"] for batch in (ready, other))
            assert torch.equal(*pixels)


def test_sizes_are_compared_with_the_smallest(monkeypatch):
    monkeypatch.setitem(training_sides.SIZES, "batch", (1, 2))
    config = TrainingBenchmarkConfig(parts=("batch",), repeats=2)
    lines = training.summarise(pd.DataFrame(training.measure(config)))
    assert lines["side"].tolist() == ["1", "2"] and set(lines["against"]) == {"1"}
    assert lines["ratio"].iloc[0] == 1 and lines["seconds"].gt(0).all()
    assert len(list(LINES["training"](lines))) == 1

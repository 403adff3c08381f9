"""The benchmark of many interventions compares sides that find the same."""

import pandas as pd
import pytest

from benchmarks import arms, growth, precision, scaling, shapes
from benchmarks.__main__ import LINES, AllConfig
from latentlab.backbones.products import slowed
from latentlab.errors import UserError
from latentlab.reasoning.plan import LatentPlan
from latentlab.training.tiny import TinyConfig

TINY = TinyConfig(hidden=32, layers=2, heads=2, feed_forward=64, vision_layers=1, vision_hidden=32)


def test_interventions_together_are_those_one_by_one(monkeypatch):
    monkeypatch.setattr(shapes, "MODEL", TINY)
    monkeypatch.setattr(arms, "PLAN", LatentPlan(steps=3, k=2))
    rows = pd.DataFrame(arms.measure(2, arms.ArmsConfig(arms=5, tokens=2, repeats=2)))
    assert set(rows["side"]) == {"separate", "together", "floor", "published"}
    assert (rows["apart"] <= arms.APART).all()
    lines = arms.summarise(rows).set_index("side")
    assert lines.loc["together", "ratio"] == 1
    assert (lines["ratio_low"] <= lines["ratio"]).all()
    assert len(list(LINES["arms"](lines.reset_index()))) == 3


def test_the_model_of_many_interventions_is_the_one_its_sizes_tell():
    reasoner = shapes.medium(LatentPlan(steps=3, k=32))
    weights = sum(weight.numel() for weight in reasoner.backbone.model.parameters())
    paper = shapes.on_paper(reasoner)
    assert weights == pytest.approx(46e6, rel=0.01)
    assert weights == pytest.approx(
        paper.weights + 2 * paper.head + paper.vision_weights, rel=0.001
    )
    (example,) = arms.noisy(1, arms.GRID, arms.WORDS)
    setting = scaling.Setting()
    assert reasoner.batch([example]).input_ids.shape[1] == setting.prompt


def test_operations_on_paper_are_those_that_are_run(monkeypatch):
    from torch.utils.flop_counter import FlopCounterMode

    small = growth.TINY
    monkeypatch.setattr(growth, "TINY", small)
    reasoner = growth.tiny_reasoner(LatentPlan(), small)
    point = growth.Point(batch=3, arms=4, k=2, grid=4)
    slowed(reasoner.backbone.model)  # the counter knows PyTorch's own products
    run = growth.run_of(reasoner, point)
    with FlopCounterMode(display=False) as counter:
        run()
    assert counter.get_total_flops() == pytest.approx(growth.counted(point, reasoner), rel=0.2)


def test_a_model_on_paper_has_the_weights_it_is_published_with():
    model = scaling.QWEN2_VL_7B
    # 8.29 billion, head and embedding apart, as the weights on the hub.
    whole = model.weights + 2 * model.head + model.vision_weights
    assert whole == pytest.approx(8.29e9, rel=0.01)


def test_what_all_arms_share_is_counted_once():
    one, many = (
        scaling.phases(scaling.QWEN2_VL_7B, scaling.Setting(arms=arms), 1) for arms in (1, 32)
    )
    assert one["prompts"] == many["prompts"]
    assert many["latent steps"].operations == pytest.approx(32 * one["latent steps"].operations)


def test_growth_is_the_slope_of_logarithms():
    rows = pd.DataFrame(
        [
            {"size": "k", "value": k, "repeat": repeat, "seconds": k**1.5, "operations": k**2}
            for k in (1, 2, 4, 8)
            for repeat in (1, 2)
        ]
    )
    (line,) = growth.summarise(rows).to_dict("records")
    assert line["exponent"] == pytest.approx(1.5)
    assert line["counted"] == pytest.approx(2)


def test_precision_tells_what_changes():
    rows = precision.measure("ivtlr", precision.PrecisionConfig(limit=4, batch_size=4))
    lines = precision.summarise(rows).set_index("side")
    assert lines.loc["float32", ["same_choice", "same_picks", "time"]].tolist() == [1, 1, 1]
    assert lines.loc["float32", "apart_most"] == 0
    assert 0 < lines.loc["bfloat16", "apart_most"] < lines.loc["int8", "apart_most"] * 10


def test_a_benchmark_that_is_not_there_is_refused():
    with pytest.raises(UserError, match="speed"):
        AllConfig(names=("sped",))

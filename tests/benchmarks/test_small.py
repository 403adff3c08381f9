"""The benchmark of embedded models runs as many slots on all sides, and splits time by stage."""

import pandas as pd
import pytest
import torch

from benchmarks import small
from latentlab.checkpoint import load
from latentlab.data import load_data

CONFIG = small.SmallConfig(repeats=2)


@pytest.mark.parametrize("model", ["ivtlr", "relay"])
def test_the_floor_runs_the_slots_of_the_engine(model):
    passes = {"engine": [], "floor": []}

    def note(side):
        return lambda module, args, inputs: passes[side].append(inputs["inputs_embeds"].shape)

    examples = list(load_data(CONFIG.data, limit=3))
    reasoner, other = load(model), load(model)
    floor = small.Floor(other, examples)
    for side, one in (("engine", reasoner), ("floor", other)):
        one.backbone.decoder.register_forward_pre_hook(note(side), with_kwargs=True)
    with torch.no_grad():
        small.engine(reasoner, examples)
        floor()
    assert passes["engine"] == passes["floor"]


def test_stages_add_up_to_the_whole():
    rows = pd.DataFrame(small.measure("relay", 2, CONFIG))
    assert set(rows["side"]) == {"engine", "capture", "floor"}
    assert (rows["milliseconds"] >= 0).all()
    lines = small.summarise(rows).set_index("stage")
    assert list(lines.index) == ["all", *small.STAGES]
    assert (lines["over_floor_low"] <= lines["over_floor"]).all()
    whole = rows.groupby(["side", "repeat"])["milliseconds"].sum()
    assert lines.loc["all", "floor"] == pytest.approx(whole["floor"].median())

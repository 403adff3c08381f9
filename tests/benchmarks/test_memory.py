"""The memory benchmark compares two ways to one row, of which one holds every matrix."""

import pandas as pd
import pytest
import torch

from benchmarks import memory
from latentlab.errors import UserError


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(memory, "IMAGE_TOKENS", 96)
    return memory.MemoryConfig(layers=(2,), heads=4, head_size=8, repeats=2)


def test_both_sides_find_one_row_and_one_of_them_holds_every_matrix(small):
    rows = pd.DataFrame(memory.measure(2, small))
    assert rows["side"].tolist() == ["engine", "eager"] * 2
    (line,) = memory.summarise(rows).to_dict("records")
    assert line["apart"] < 1e-6
    assert line["matrix_bytes"] == 2 * 4 * 128**2 * 4
    assert line["peak_bytes_eager"] > line["matrix_bytes"] > line["peak_bytes_engine"] > 0
    assert line["peak_bytes_ratio_low"] == line["peak_bytes_ratio_high"] > 1
    assert line["seconds_ratio_low"] <= line["seconds_ratio"] <= line["seconds_ratio_high"]


def test_the_captured_row_is_that_of_eager_attention(small):
    backbone = memory.chameleon(2, 4, 8)
    with torch.no_grad():
        embeds = memory.prompt(backbone)
        row = memory.captured(backbone, embeds)
        backbone.model.set_attn_implementation("eager")
        torch.testing.assert_close(row, memory.eager(backbone.model, embeds), rtol=0, atol=1e-6)
    assert row.shape == (2, 4, 128)
    torch.testing.assert_close(row.sum(-1), torch.ones(2, 4))


def test_sides_that_disagree_are_not_compared(small, monkeypatch):
    monkeypatch.setattr(memory, "eager", lambda model, embeds: torch.zeros(2, 4, 128))
    with pytest.raises(RuntimeError, match="disagree"):
        memory.measure(2, small)


def test_sizes_that_are_none_are_refused():
    for flags in ({"layers": ()}, {"layers": (0,)}, {"repeats": 0}):
        with pytest.raises(UserError, match="at least 1"):
            memory.MemoryConfig(**flags)

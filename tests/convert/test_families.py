"""Every family goes into a folder and back, on a tiny model that peft trained into the layout."""

import pytest
import torch

from latentlab.backbones import FAMILIES
from latentlab.checkpoint import load, save
from tests.convert.conftest import Released

tiny = pytest.importorskip("tests.tiny.families")


@pytest.mark.parametrize("model_type", FAMILIES)
def test_a_family_goes_forth_and_back(model_type, convert, tmp_path):
    reasoner = tiny.TINY[model_type]()
    save(reasoner, tmp_path / "base")
    tokens = len(reasoner.backbone.model.get_input_embeddings().weight) + 3
    released = Released(reasoner.backbone.model, tokens, rank=3, alpha=6.0)
    trained = released.state_dict()
    torch.save(trained, tmp_path / "trained.pth")
    flags = ("--base", "base", "--alpha", 6, "--prompts", "own")
    for flag in ("--merge", "--no-merge"):
        assert convert("trained.pth", *flags, flag, "--out", flag[2:])[0] == 0
    assert convert("no-merge", "--back", "--out", "again.pth")[0] == 0
    again = torch.load("again.pth", weights_only=True)
    assert list(again) == list(trained)
    assert all(torch.equal(again[key], trained[key]) for key in trained)
    merged = load("merge", "cpu").backbone.model.state_dict()
    released.base_causallm.merge_adapter()
    for name, weight in released.base_causallm.get_base_model().state_dict().items():
        if "lora_" not in name:
            found = merged[name.replace(".base_layer.", ".")]
            torch.testing.assert_close(found, weight, atol=1e-5, rtol=1e-5)

"""Every family is saved, loaded again, and studied from its folder like any other checkpoint."""

import json
import shutil

import pytest
import torch
from safetensors.torch import save_file
from transformers import AutoModelForImageTextToText

from latentlab import checkpoint
from latentlab.commands import start
from tests.tiny.families import TINY

COMMANDS = {
    "evaluate": ("evaluate", "--limit", "3"),
    "ablate": ("ablate", "--drop", "latent_vision", "--limit", "3"),
}


@pytest.fixture(scope="module", params=TINY)
def saved(request, tmp_path_factory):
    """A reasoner and the folder it was saved to."""
    reasoner = TINY[request.param]()
    folder = tmp_path_factory.mktemp(request.param) / "model"
    checkpoint.save(reasoner, folder)
    return reasoner, folder


@torch.no_grad()
def test_a_saved_family_reasons_as_before(saved, examples):
    reasoner, folder = saved
    loaded = checkpoint.load(str(folder), device="cpu")
    assert type(loaded.backbone) is type(reasoner.backbone)
    before, after = (it.rollout()(it.batch(examples)) for it in (reasoner, loaded))
    assert torch.equal(before.batch.input_ids, after.batch.input_ids)
    assert torch.equal(before.picks, after.picks)
    assert torch.equal(before.hidden, after.hidden)


def test_a_saved_family_is_an_ordinary_checkpoint(saved):
    reasoner, folder = saved
    model = AutoModelForImageTextToText.from_pretrained(folder)
    assert type(model) is reasoner.backbone.model_class
    model_type = json.loads((folder / "config.json").read_text())["model_type"]
    assert model_type in reasoner.backbone.model_types


def test_weights_load_by_their_newer_names_too(saved, tmp_path):
    """`save_pretrained` writes the names that published checkpoints have."""
    reasoner, folder = saved
    renamed = shutil.copytree(folder, tmp_path / "renamed")
    tensors = reasoner.backbone.model.state_dict()
    tied = {"lm_head.weight"} if reasoner.backbone.model.config.tie_word_embeddings else set()
    kept = {name: value.clone() for name, value in tensors.items() if name not in tied}
    save_file(kept, renamed / "model.safetensors", metadata={"format": "pt"})
    loaded = checkpoint.load_weights(type(reasoner.backbone), renamed).state_dict()
    assert loaded.keys() == tensors.keys()
    assert all(torch.equal(loaded[name], value) for name, value in tensors.items())


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_commands_run_on_a_saved_family(saved, command, monkeypatch, tmp_path, capsys):
    _, folder = saved
    monkeypatch.chdir(tmp_path)
    name, *flags = COMMANDS[command]
    assert start(name, ("--model", str(folder), "--device", "cpu", *flags)) == 0
    assert "Traceback" not in capsys.readouterr().err
    assert (tmp_path / "results" / name / "rows.parquet").is_file()


TRAINING = """
name: trained
plan: {{steps: 1, k: 1}}
init: {folder}
freeze_vision: true
lora: {{rank: 2, alpha: 4, dropout: 0.0}}
eval_examples: 2
stages:
  - {{name: latent, latent_steps: 1, updates: 2, batch_size: 2, muon_learning_rate: null}}
"""


@pytest.mark.slow
def test_adapters_are_trained_on_a_saved_family(saved, tmp_path):
    reasoner, folder = saved
    config = tmp_path / "training.yaml"
    config.write_text(TRAINING.format(folder=folder))
    assert start("train", (str(config), "--device", "cpu", "--out", str(tmp_path / "run"))) == 0
    before = reasoner.backbone.model.state_dict()
    trained = checkpoint.load(str(tmp_path / "run" / "final")).backbone.model.state_dict()
    moved = {name for name, value in trained.items() if not torch.equal(value, before[name])}
    assert moved
    assert not any("vis" in name for name in moved)
    assert all(".layers." in name and name.endswith("_proj.weight") for name in moved)

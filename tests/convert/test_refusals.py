"""What does not fit is told in one line, keys by name and number, and nothing is written."""

import json
import shutil
from itertools import chain
from pathlib import Path

import pytest
import torch

from latentlab.convert.config import ConvertConfig
from latentlab.errors import UserError
from tests.convert.conftest import CHECKPOINT

PREFIX = "base_causallm.base_model.model."
Q_PROJ = f"{PREFIX}model.layers.0.self_attn.q_proj"
TABLE = f"{PREFIX}model.embed_tokens.weight"


def without(*ends: str):
    """Takes away the keys that end so."""
    return lambda state: [state.pop(key) for key in list(state) if key.endswith(ends)]


def with_keys(**tensors: torch.Tensor):
    return lambda state: state.update(tensors)


def scaled(key: str):
    return lambda state: state.update({key: state[key] * 2})


def reshaped(key: str, *shape: int):
    return lambda state: state.update({key: torch.zeros(shape)})


CHANGES = [
    (without("layers.1.input_layernorm.weight"), "lacks 1 (model.language_model.layers.1.input_"),
    (without("base_layer.weight"), "lacks 21 (model.language_model.layers.0."),
    (without("base_layer.weight"), " and 18 more)"),
    (
        without("0.self_attn.q_proj.lora_B.default.weight"),
        "lacks 1 (lora_B of model.language_model.layers.0.self_attn.q_proj.weight)",
    ),
    (without("embed_tokens.weight"), "lacks 1 (model.language_model.embed_tokens.weight)"),
    (with_keys(more=torch.ones(1)), "has 1 that the base has not (more)"),
    (
        reshaped(f"{Q_PROJ}.base_layer.weight", 64, 60),
        "has 1 of another shape (" + Q_PROJ + ".base_layer.weight (64, 60) in place of (64, 64))",
    ),
    (
        reshaped(f"{Q_PROJ}.lora_B.default.weight", 64, 3),
        "lora_B.default.weight (64, 3) in place of (64, 4)",
    ),
    (reshaped(f"{Q_PROJ}.lora_A.default.weight"), "lora_A.default.weight () in place of (4, 64)"),
    (scaled("embedding.weight"), "it has model.language_model.embed_tokens.weight twice"),
    (reshaped(TABLE, 150, 64), "has 150 tokens, but the tokenizer of --base"),
]


@pytest.mark.parametrize(("change", "complaint"), CHANGES)
def test_keys_that_do_not_fit(change, complaint, base, checkpoint, convert, tmp_path):
    state = dict(checkpoint)
    change(state)
    torch.save(state, tmp_path / "changed.pth")
    code, streams = convert("changed.pth", "--base", base, "--alpha", 1, "--out", "model")
    assert code == 2
    assert complaint in streams.err
    assert streams.err.startswith("error: ") and streams.err.count("\n") == 1
    assert streams.out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["changed.pth"]


def test_all_kinds_of_problems_stand_in_one_line(base, checkpoint, convert, tmp_path):
    state = dict(checkpoint)
    without("layers.1.input_layernorm.weight", "layers.2.input_layernorm.weight")(state)
    with_keys(more=torch.ones(1))(state)
    reshaped(f"{Q_PROJ}.base_layer.bias", 3)(state)
    torch.save(state, tmp_path / "changed.pth")
    _, streams = convert("changed.pth", "--base", base, "--alpha", 1, "--out", "model")
    for part in ("it lacks 2 (", "it has 1 that the base has not (", "it has 1 of another shape ("):
        assert part in streams.err
    assert streams.err.endswith("nothing was written\n")


def changed(**values: object):
    """Changes the configuration."""

    def change(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, **values}))

    return change


def remove(name: str):
    return lambda folder: (folder / name).unlink()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (remove("config.json"), "it has no config.json"),
        (changed(model_type="gpt2"), "'gpt2'"),
        (changed(num_hidden_layers=2), "has 26 that the base has not ("),
        (changed(num_hidden_layers=4), "lacks 12 (model.language_model.layers.3"),
        (remove("tokenizer.json"), "base"),
        (remove("preprocessor_config.json"), "image processor of"),
        (lambda f: (f / "generation_config.json").write_text("{"), "--base base cannot be used"),
        (lambda f: (f / "model.safetensors").write_text("no"), "model.safetensors cannot be used"),
        (
            changed(tie_word_embeddings=True),
            "its lm_head.weight is not its model.language_model.embed_tokens.weight",
        ),
    ],
)
def test_a_base_that_does_not_fit(change, complaint, base, convert, tmp_path):
    folder = Path(shutil.copytree(base, tmp_path / "base"))
    change(folder)
    code, streams = convert(CHECKPOINT, "--base", "base", "--alpha", 1, "--out", "model")
    assert code == 2
    assert complaint in streams.err
    assert streams.err.count("\n") == 1
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--rank", 8], "--rank is 8, but"),
        (["--prompts", "m3cot"], "no prompt format is called 'm3cot'; known: m3cot-inference"),
        (["--out", "."], ". is not an empty folder"),
        (["--base", "nowhere/at/all"], "no model or folder is called"),
    ],
)
def test_flags_that_do_not_fit(flags, complaint, base, convert, tmp_path):
    (tmp_path / "kept.txt").touch()
    given = {"--base": base, "--out": "model", "--alpha": 1} | dict([flags])
    code, streams = convert(CHECKPOINT, *chain(*given.items()))
    assert code == 2
    assert complaint in streams.err
    assert streams.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


def test_alpha_is_taken_from_settings_beside_the_weights(base, checkpoint, convert, tmp_path):
    wrapped = {"state_dict": checkpoint, "peft": {"default": {"r": 4, "lora_alpha": 1}}}
    torch.save(wrapped, tmp_path / "wrapped.pth")
    code, streams = convert("wrapped.pth", "--base", base, "--out", "model")
    assert (code, streams.err) == (0, "")
    assert "rank 4, alpha 1, merged" in streams.out
    code, streams = convert("wrapped.pth", "--base", base, "--alpha", 2, "--out", "other")
    assert code == 2
    assert "--alpha is 2, but wrapped.pth tells of 1" in streams.err
    (tmp_path / "bare").mkdir()
    torch.save(checkpoint, tmp_path / "bare" / "state.pth")
    (tmp_path / "bare" / "adapter_config.json").write_text(json.dumps({"lora_alpha": 3}))
    assert "alpha 3" in convert("bare/state.pth", "--base", base, "--out", "third")[1].out


def test_the_published_alpha_is_taken_where_none_is_told_and_that_is_said(base, convert):
    code, streams = convert(CHECKPOINT, "--base", base, "--out", "model")
    assert code == 0
    assert "does not tell LoRA's alpha: the published 16 is taken" in streams.err
    assert "alpha 16, merged" in streams.out


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        ({}, "--base is missing"),
        ({"base": "b", "merge": True, "no_merge": True}, "contradict each other"),
        ({"back": True, "base": "b"}, "--back goes with --out alone"),
        ({"back": True, "k": 3}, "--back goes with --out alone"),
        ({"base": "b", "alpha": 0.0}, "--alpha 0 is too small"),
        ({"base": "b", "rank": 0}, "--rank 0 is too small"),
        ({"base": "b", "steps": -1}, "--steps -1 is too small"),
        ({"base": "b", "k": -1}, "--k -1 is too small"),
    ],
)
def test_flags_that_cannot_be_meant(flags, complaint):
    with pytest.raises(UserError, match=complaint):
        ConvertConfig(source=Path("a.pth"), out=Path("model"), **flags)


def test_a_checkpoint_without_adapters_is_its_weights(base, checkpoint, convert, tmp_path):
    plain = {k.replace(".base_layer.", "."): v for k, v in checkpoint.items() if "lora_" not in k}
    torch.save(plain, tmp_path / "plain.pth")
    code, streams = convert("plain.pth", "--base", base, "--no-merge", "--out", "model")
    assert (code, streams.err) == (0, "")
    assert "70 weights in float32; no adapters" in streams.out
    assert not (tmp_path / "model" / "adapter").exists()
    assert convert("model", "--back", "--out", "again.pth")[1].err == ""
    again = torch.load("again.pth", weights_only=True)
    assert list(again) == list(plain)
    assert all(torch.equal(again[key], plain[key]) for key in plain)

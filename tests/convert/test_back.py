"""A folder goes back into the published format: bit by bit, or as a sum that answers alike."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from tests.convert.conftest import CHECKPOINT, META

SCALE = META["lora"]["lora_alpha"] / META["lora"]["r"]


def total(state: dict[str, torch.Tensor], module: str) -> torch.Tensor:
    """What a projection and its adapter amount to."""
    a, b = (state[f"{module}.lora_{part}.default.weight"] for part in "AB")
    return state[f"{module}.base_layer.weight"] + SCALE * b @ a


def test_kept_adapters_go_back_bit_by_bit(converted, convert, checkpoint):
    code, streams = convert(converted("no-merge"), "--back", "--out", "again.pth")
    assert code == 0
    assert streams.err == ""
    again = torch.load("again.pth", weights_only=True)
    assert type(again) is type(checkpoint)
    assert list(again) == list(checkpoint)
    for key, tensor in checkpoint.items():
        assert again[key].dtype == tensor.dtype
        assert torch.equal(again[key], tensor), key


def test_the_token_table_is_written_once(converted, convert, tmp_path):
    convert(converted("no-merge"), "--back", "--out", "again.pth")
    again = torch.load("again.pth", weights_only=True)
    table = again["base_causallm.base_model.model.model.embed_tokens.weight"]
    assert again["embedding.weight"].data_ptr() == table.data_ptr()
    assert (tmp_path / "again.pth").stat().st_size < 1.05 * CHECKPOINT.stat().st_size


def test_merged_adapters_go_back_as_sums_and_say_so(converted, convert, checkpoint):
    code, streams = convert(converted("merge"), "--back", "--out", "again.pth")
    assert code == 0
    assert streams.err.startswith("warning: adapters were merged")
    assert "--no-merge" in streams.err
    again = torch.load("again.pth", weights_only=True)
    assert list(again) == list(checkpoint)
    modules = [key.removesuffix(".lora_A.default.weight") for key in checkpoint if "lora_A" in key]
    assert len(modules) == 21
    for module in modules:
        assert not again[f"{module}.lora_B.default.weight"].any()
        torch.testing.assert_close(total(again, module), total(checkpoint, module))
        assert not torch.equal(
            again[f"{module}.base_layer.weight"], checkpoint[f"{module}.base_layer.weight"]
        )
    for key in checkpoint.keys() - {f"{module}.base_layer.weight" for module in modules}:
        assert "lora" in key or torch.equal(again[key], checkpoint[key])


def test_what_was_rounded_stays_rounded_and_that_is_said(base, convert, checkpoint):
    flags = ("--base", base, "--alpha", 1, "--no-merge", "--dtype", "bfloat16", "--out", "half")
    assert convert(CHECKPOINT, *flags)[0] == 0
    code, streams = convert("half", "--back", "--out", "again.pth")
    assert code == 0
    assert "what was torch.float32 was kept as torch.bfloat16, and comes back" in streams.err
    again = torch.load("again.pth", weights_only=True)
    for key, tensor in checkpoint.items():
        assert torch.equal(again[key], tensor.bfloat16().float()), key


def more_keys(folder: Path) -> None:
    record = json.loads((folder / "published.json").read_text())
    record["keys"]["base_causallm.base_model.model.more"] = ["weight", "more", "float32"]
    (folder / "published.json").write_text(json.dumps(record))


@pytest.mark.parametrize(
    ("break_it", "complaint"),
    [
        (lambda folder: (folder / "published.json").unlink(), "has no published.json"),
        (lambda folder: (folder / "published.json").write_text("{}"), "published.json cannot be"),
        (lambda folder: (folder / "model.safetensors").write_text("no"), "kept cannot be used"),
        (lambda folder: (folder / "config.json").unlink(), "config.json cannot be read"),
        (more_keys, "lacks more, which its published.json tells of"),
    ],
)
def test_a_folder_that_cannot_go_back_writes_nothing(
    break_it, complaint, converted, convert, tmp_path
):
    break_it(Path(shutil.copytree(converted("no-merge"), tmp_path / "kept")))
    code, streams = convert("kept", "--back", "--out", "again.pth")
    assert code == 2
    assert complaint in streams.err
    assert streams.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_file_that_is_there_stays(converted, convert, tmp_path):
    (tmp_path / "again.pth").write_text("kept")
    code, streams = convert(converted("no-merge"), "--back", "--out", "again.pth")
    assert code == 2
    assert "again.pth is there already" in streams.err
    assert (tmp_path / "again.pth").read_text() == "kept"

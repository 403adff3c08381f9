"""One checkpoint, however it was saved; and files that are none, each in one line."""

import json
import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from latentlab.convert.files import read_state
from latentlab.errors import UserError
from tests.convert.conftest import CHECKPOINT

PREFIX = "base_causallm.base_model.model."


class Code:
    """What a pickle may hold."""

    def __reduce__(self):
        return os.system, ("touch ran",)


def one_file(state: dict, folder: Path) -> Path:
    torch.save(state, folder / "epoch_16_full_model_fp32.pth")
    return folder / "epoch_16_full_model_fp32.pth"


def older_format(state: dict, folder: Path) -> Path:
    torch.save(state, folder / "old.pth", _use_new_zipfile_serialization=False)
    return folder / "old.pth"


def of_a_process_group(state: dict, folder: Path) -> Path:
    return one_file({f"module.{key}": value for key, value in state.items()}, folder)


def without_the_second_table(state: dict, folder: Path) -> Path:
    """As consolidated by DeepSpeed, which may leave out what is shared."""
    return one_file({key: v for key, v in state.items() if key != "embedding.weight"}, folder)


def of_newer_names(state: dict, folder: Path) -> Path:
    """As a release on a newer transformers would save it."""
    renamed = {}
    for key, value in state.items():
        name = key.removeprefix(PREFIX)
        if name.startswith("visual."):
            key = f"{PREFIX}model.{name}"
        elif name.startswith("model."):
            key = f"{PREFIX}model.language_model.{name.removeprefix('model.')}"
        renamed[key] = value
    return one_file(renamed, folder)


def as_safetensors(state: dict, folder: Path) -> Path:
    tensors = {key: value.clone() for key, value in state.items()}
    save_file(tensors, folder / "model.safetensors")
    return folder / "model.safetensors"


def shards(state: dict, folder: Path) -> Path:
    """As `zero_to_fp32.py` writes it: a folder of shards and their index."""
    keys, names = (
        list(state),
        ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"],
    )
    where = {key: names[i % 2] for i, key in enumerate(keys)}
    for name in names:
        torch.save({key: state[key] for key in keys if where[key] == name}, folder / name)
    index = {"metadata": {}, "weight_map": where}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    return folder


def wrapped(state: dict, folder: Path) -> Path:
    return one_file({"epoch": 16, "state_dict": state}, folder)


WAYS = [one_file, older_format, of_a_process_group, without_the_second_table, of_newer_names]
WAYS += [as_safetensors, shards, wrapped]


@pytest.mark.parametrize("way", WAYS)
def test_the_same_model_however_it_was_saved(way, checkpoint, base, converted, convert, tmp_path):
    (tmp_path / "in").mkdir()
    source = way(checkpoint, tmp_path / "in")
    code, streams = convert(source, "--base", base, "--alpha", 1, "--out", "model")
    assert (code, streams.err) == (0, "")
    expected = load_file(converted("merge") / "model.safetensors")
    found = load_file(tmp_path / "model" / "model.safetensors")
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    keys = json.loads((tmp_path / "model" / "published.json").read_text())["keys"]
    assert set(keys) == set(read_state(source).tensors)


def code_in(folder: Path) -> Path:
    torch.save({"a": Code()}, folder / "code.pth")
    return folder / "code.pth"


def bare_code(folder: Path) -> Path:
    (folder / "code.bin").write_bytes(pickle.dumps({"a": Code()}))
    return folder / "code.bin"


def cut(folder: Path) -> Path:
    (folder / "cut.pth").write_bytes(CHECKPOINT.read_bytes()[:-2000])
    return folder / "cut.pth"


def pointer(folder: Path) -> Path:
    (folder / "model.pth").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    return folder / "model.pth"


def text(folder: Path) -> Path:
    (folder / "notes.pth").write_text("no checkpoint at all\n" * 9)
    return folder / "notes.pth"


def empty(folder: Path) -> Path:
    (folder / "empty.safetensors").touch()
    return folder / "empty.safetensors"


def numbers(folder: Path) -> Path:
    torch.save([1, 2, 3], folder / "list.pth")
    return folder / "list.pth"


def settings(folder: Path) -> Path:
    torch.save({"lr": 4e-5}, folder / "settings.pth")
    return folder / "settings.pth"


def nothing(folder: Path) -> Path:
    return folder


def absent(folder: Path) -> Path:
    return folder / "none.pth"


def two_files(folder: Path) -> Path:
    for name in ("a.pth", "b.pth"):
        torch.save({"x": torch.ones(1)}, folder / name)
    return folder


def index_that_leaves(folder: Path) -> Path:
    index = {"weight_map": {"x": "../secret.bin"}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    return folder


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (code_in, r"wants to run code when it is read \(\w+.system\), and was not"),
        (bare_code, "damaged, of another format, or wants to run code"),
        (cut, "is cut short"),
        (pointer, "git lfs pull"),
        (text, "cannot be read as tensors"),
        (empty, "cannot be read as tensors"),
        (numbers, "is no state dict but a list"),
        (settings, "holds no tensor under a name"),
        (nothing, "holds no checkpoint"),
        (absent, "there is no checkpoint"),
        (two_files, "two of its files hold x"),
        (index_that_leaves, "names '../secret.bin', which is no file beside it"),
    ],
)
def test_what_is_no_checkpoint_is_one_line(make, complaint, tmp_path, monkeypatch, recwarn):
    monkeypatch.chdir(tmp_path)
    source = make(tmp_path)
    with pytest.raises(UserError, match=complaint) as error:
        read_state(source)
    assert str(source) in str(error.value)
    assert len(str(error.value)) < 300
    assert not recwarn.list
    assert not Path("ran").exists()

"""Checkpoints that cannot be used: one line through the command line, and nothing runs or is left.

What `load` says of single broken files is in `test_checkpoint.py`.
"""

import json
import pickle
import re
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from latentlab import checkpoint
from latentlab.study.provenance import checkpoint_hash


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


@pytest.fixture(scope="session")
def saved(qwen, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bad") / "saved"
    checkpoint.save(qwen, folder)
    return folder


@pytest.fixture
def folder(saved, tmp_path) -> Path:
    return shutil.copytree(saved, tmp_path / "model")


@pytest.fixture
def evaluate(commanded, folder):
    """Asks the model of the folder two questions."""
    return commanded("evaluate", "--model", str(folder), "--limit", "2", "--device", "cpu")


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def empty(folder):
    shutil.rmtree(folder)
    folder.mkdir()


def prose(folder):
    empty(folder)
    (folder / "README.md").write_text("Weights will be released soon.")


def foreign_tokenizer(folder):
    path = folder / "tokenizer.json"
    text = path.read_text()
    assert "<|image_pad|>" in text
    path.write_text(text.replace("<|image_pad|>", "<|picture|>"))
    config = folder / "tokenizer_config.json"
    config.write_text(config.read_text().replace("<|image_pad|>", "<|picture|>"))


def pickled(name):
    def put(folder):
        weights = folder / "model.safetensors"
        torch.save({**load_file(weights), "trap": Trap(folder / "sprung")}, folder / name)
        weights.unlink()

    return put


def named_safetensors(folder):
    (folder / "model.safetensors").write_bytes(pickle.dumps(Trap(folder / "sprung")))


def truncated(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def without_a_shard(folder):
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    shards = dict.fromkeys(weights, "model-00001-of-00002.safetensors")
    shards[max(shards)] = "model-00002-of-00002.safetensors"
    index = {"metadata": {}, "weight_map": shards}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def leads_nowhere(folder):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to("blobs/gone")


CASES = {
    empty: "is not a checkpoint: it has no config.json",
    prose: "is not a checkpoint: it has no config.json",
    foreign_tokenizer: "the tokenizer in .* does not fit its config.json",
    pickled("pytorch_model.bin"): "has no .safetensors weights; convert it",
    pickled("consolidated.pth"): "has no .safetensors weights; convert it",
    named_safetensors: "the model in .* cannot be used: .*header",
    truncated: "the model in .* cannot be used",
    without_a_shard: "the model in .* cannot be used",
    leads_nowhere: "the model in .* cannot be used|has no .safetensors weights",
    lambda folder: change(folder / "config.json", model_type="mystery_vl"): "'mystery_vl'",
}


@pytest.mark.parametrize(("spoil", "complaint"), CASES.items())
def test_is_refused_in_one_line(folder, evaluate, refused, spoil, complaint):
    spoil(folder)
    assert re.search(complaint, refused(evaluate()))
    assert not (folder / "sprung").exists()


def test_code_that_comes_with_a_checkpoint_never_runs(folder, evaluate):
    (folder / "code.py").write_text(f"open({str(folder / 'sprung')!r}, 'w')\n")
    names = {"AutoConfig": "code.C", "AutoModel": "code.M", "AutoTokenizer": ["code.T", None]}
    names["AutoImageProcessor"] = "code.P"
    for file in ("config.json", "tokenizer_config.json", "preprocessor_config.json"):
        change(folder / file, auto_map=names)
    pickled_beside = {"trap": Trap(folder / "sprung")}
    torch.save(pickled_beside, folder / "pytorch_model.bin")
    code, _ = evaluate()
    assert code == 0
    assert not (folder / "sprung").exists()


def test_files_may_be_links_as_in_the_hubs_cache(folder, evaluate):
    blobs = folder.with_name("blobs")
    blobs.mkdir()
    before = checkpoint_hash(folder)
    for path in list(folder.iterdir()):
        path.rename(blobs / path.name)
        path.symlink_to(Path("..") / "blobs" / path.name)
    (folder / "lost.json").symlink_to("../blobs/gone")
    assert evaluate()[0] == 0
    assert checkpoint_hash(folder) == before


@pytest.mark.parametrize(
    "out", ["model/config.json", "model/config.json/below", "x" * 300, "/proc/x", "/dev/null/x"]
)
def test_results_that_have_no_place_are_refused_before_anything_runs(
    folder, evaluate, refused, monkeypatch, out
):
    monkeypatch.setattr("latentlab.study.models.load", lambda *_: pytest.fail("it ran"))
    line = refused(evaluate("--out", out))
    assert out[:40] in line

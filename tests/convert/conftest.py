"""The published checkpoint, its base as a hub folder, and a tiny pair of another make."""

import json
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2VLConfig
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from latentlab.commands import start

REFERENCE = Path(__file__).parents[1] / "reference"
CHECKPOINT = REFERENCE / "official_checkpoint.pth"
META = json.loads((REFERENCE / "official_checkpoint_meta.json").read_text())
NAMED = {
    META["config"]["eos_token_id"]: "<eos>",
    META["config"]["image_token_id"]: "<|image_pad|>",
    META["config"]["video_token_id"]: "<|video_pad|>",
    META["config"]["vision_start_token_id"]: "<|vision_start|>",
    META["config"]["vision_end_token_id"]: "<|vision_end|>",
    META["latent_id"] - 1: "<|start-latent|>",
    META["latent_id"]: "<|latent|>",
}
TEMPLATE = (
    "{% for message in messages %}{% for part in message['content'] %}"
    "{{ '<|vision_start|><|image_pad|><|vision_end|>' if part['type'] == 'image' "
    "else part['text'] }}{% endfor %}{% endfor %}"
)


def word_tokenizer(words: list[str]) -> PreTrainedTokenizerFast:
    """A tokenizer of so many words, the ones in angle brackets special."""
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, "w0"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<eos>", pad_token="<eos>", unk_token="w0"
    )
    fast.add_tokens([word for word in words if word.startswith("<")], special_tokens=True)
    fast.chat_template = TEMPLATE
    return fast


@pytest.fixture(scope="session")
def checkpoint() -> dict[str, torch.Tensor]:
    """The published checkpoint's own tensors."""
    return torch.load(CHECKPOINT, weights_only=True)


@pytest.fixture(scope="session")
def base(tmp_path_factory) -> Path:
    """Its base as a hub folder, without weights."""
    folder = tmp_path_factory.mktemp("base") / "tiny-qwen2-vl"
    Qwen2VLConfig(**META["config"]).save_pretrained(folder)
    words = [NAMED.get(i, f"w{i}") for i in range(META["latent_id"] + 1)]
    word_tokenizer(words).save_pretrained(folder)
    Qwen2VLImageProcessorPil().save_pretrained(folder)
    return folder


@pytest.fixture
def convert(monkeypatch, tmp_path, capsys):
    """Makes a function that runs the command in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def call(*flags: object):
        code = start("convert", [str(flag) for flag in flags])
        return code, capsys.readouterr()

    return call


@pytest.fixture(scope="session")
def converted(base, tmp_path_factory):
    """Makes a function that gives the folder of the published checkpoint, merged or kept."""
    folder, made = tmp_path_factory.mktemp("converted"), set()

    def make(merge: str) -> Path:
        out = folder / merge
        if merge not in made:
            flags = ("--base", base, "--out", out, "--alpha", 1, "--k", META["k"], f"--{merge}")
            assert start("convert", [str(flag) for flag in (CHECKPOINT, *flags)]) == 0
            made.add(merge)
        return out

    return make

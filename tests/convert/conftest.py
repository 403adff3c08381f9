"""The published checkpoint, its base as a hub folder, and a tiny pair of another make."""

import json
import warnings
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import nn
from transformers import (
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from latentlab.checkpoint import quiet
from latentlab.commands import start

PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
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


def hub_folder(
    folder: Path, tokenizer: PreTrainedTokenizerFast, rows: int, tied: bool = False
) -> PreTrainedModel:
    """A tiny Qwen2-VL as a hub folder, its table longer than the tokenizer; returns the model."""
    named = ("image_token_id", "<|image_pad|>"), ("vision_start_token_id", "<|vision_start|>")
    named += (("vision_end_token_id", "<|vision_end|>"),)
    sizes = {"vocab_size": rows, "hidden_size": 32, "intermediate_size": 48}
    depths = {"num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1}
    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]}
    config = Qwen2VLConfig(
        text_config={**sizes, **depths, "rope_parameters": rope},
        vision_config={"depth": 1, "embed_dim": 32, "hidden_size": 32, "num_heads": 2},
        tie_word_embeddings=tied,
        initializer_range=0.2,
        **{name: tokenizer.convert_tokens_to_ids(token) for name, token in named},
    )
    torch.manual_seed(0)
    model = Qwen2VLForConditionalGeneration(config).eval()
    model.generation_config = GenerationConfig(eos_token_id=[1, 7])
    with quiet():
        model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    Qwen2VLImageProcessorPil().save_pretrained(folder)
    return model


class Released(nn.Module):
    """What the released training saves the state of: a model, adapted by peft, and its table."""

    def __init__(self, model: PreTrainedModel, tokens: int, rank: int, alpha: float) -> None:
        super().__init__()
        torch.manual_seed(1)
        model.resize_token_embeddings(tokens)
        settings = LoraConfig("CAUSAL_LM", r=rank, lora_alpha=alpha, target_modules=PROJECTIONS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of an attribute's old name
            self.base_causallm = get_peft_model(model, settings).eval()
        for name, weight in self.base_causallm.named_parameters():
            if "lora_B" in name:  # peft begins with zeros
                nn.init.normal_(weight, std=0.3)
        self.embedding = self.base_causallm.get_input_embeddings()


@pytest.fixture(scope="session")
def checkpoint() -> dict[str, torch.Tensor]:
    """The published checkpoint's own tensors."""
    return torch.load(CHECKPOINT, weights_only=True)


@pytest.fixture(scope="session")
def base(tmp_path_factory) -> Path:
    """Its base as a hub folder, without weights."""
    folder = tmp_path_factory.mktemp("base") / "tiny-qwen2-vl"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(META["config"]))  # flat, as the hub's older ones
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

"""Plain vision-language models of both families, in folders as hubs hold them."""

import json
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from latentlab import checkpoint

SPECIALS = ("<pad>", "<|im_end|>", "<unk>", "<|endoftext|>", "<|im_start|>")
SPECIALS += ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<start>", "<end>")
WORDS = ("A", "B", "C", "D", "Answer", ":", ".", "user", "assistant", "object", "circle", "square")
WORDS += ("red", "blue", "one", "two", "hops")
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }} "
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}{% endfor %}"
    "<|im_end|> {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant {% endif %}"
)
"""Of the kind that instruction-tuned models of the family bring."""


def qwen_tokenizer() -> PreTrainedTokenizerFast:
    words = [*SPECIALS, *WORDS]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<|endoftext|>",
        eos_token="<|im_end|>",
        unk_token="<unk>",
        additional_special_tokens=list(SPECIALS[4:]),
    )


def write_qwen(folder: Path) -> None:
    """Shards, generation settings with two ends, the template beside the processor."""
    ids = {word: i for i, word in enumerate([*SPECIALS, *WORDS])}
    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]}
    torch.manual_seed(0)
    config = Qwen2VLConfig(
        text_config={
            "vocab_size": len(ids),
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "initializer_range": 0.2,
            "rope_parameters": rope,
            "bos_token_id": None,
            "eos_token_id": ids["<|im_end|>"],
            "pad_token_id": ids["<|endoftext|>"],
        },
        vision_config={
            "depth": 1,
            "embed_dim": 32,
            "hidden_size": 32,
            "num_heads": 4,
            "mlp_ratio": 2,
            "temporal_patch_size": 1,
        },
        image_token_id=ids["<|image_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        initializer_range=0.2,
    )
    model = Qwen2VLForConditionalGeneration(config).eval()
    model.generation_config.eos_token_id = [ids["<|im_end|>"], ids["<|endoftext|>"]]
    model.save_pretrained(folder, max_shard_size="100KB")
    qwen_tokenizer().save_pretrained(folder)
    Qwen2VLImageProcessorPil(temporal_patch_size=1).save_pretrained(folder)
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": TEMPLATE}))


def write_chameleon(folder: Path, reasoner) -> None:
    """No chat template, and the image processor inside the processor's settings (newer style)."""
    checkpoint.save(reasoner, folder)
    (folder / checkpoint.PLAN_FILE).unlink()
    inner = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").unlink()
    settings = {"processor_class": "ChameleonProcessor", "image_processor": inner}
    (folder / "processor_config.json").write_text(json.dumps(settings))


@pytest.fixture(scope="session")
def plain_qwen(tmp_path_factory) -> Path:
    """The folder of a plain Qwen2-VL."""
    folder = tmp_path_factory.mktemp("hub") / "qwen-plain"
    write_qwen(folder)
    return folder


@pytest.fixture(scope="session")
def plain_chameleon(chameleon, tmp_path_factory) -> Path:
    """The folder of a plain Chameleon."""
    folder = tmp_path_factory.mktemp("hub") / "chameleon-plain"
    write_chameleon(folder, chameleon)
    return folder


@pytest.fixture(scope="session", params=["plain_qwen", "plain_chameleon"])
def plain(request) -> Path:
    """The folder of a plain model of either family."""
    return request.getfixturevalue(request.param)

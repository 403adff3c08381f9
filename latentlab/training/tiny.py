"""A tiny Qwen2-VL from real configuration classes, with a tokenizer for the benchmark's words.

Small enough to learn multi-hop look-up in minutes on a laptop's CPU, and in every other respect an
ordinary checkpoint: the organisms and most tests start here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from latentlab.backbones.qwen2_vl import Qwen2VLBackbone
from latentlab.data.benchmark import Benchmark
from latentlab.errors import UserError
from latentlab.prompts import Prompter, PromptFormat
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan
from latentlab.schema import STRICT, Amount, Count, check

SPECIALS = ("<pad>", "<eos>", "<unk>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>")
PLACEHOLDER = "<|latent|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}{% for part in message['content'] %}"
    "{{ '<|vision_start|><|image_pad|><|vision_end|>' if part['type'] == 'image' "
    "else part['text'] }}{% endfor %}{% endfor %}"
)
FORMAT = PromptFormat(
    answer_marker="Answer:", answer_form="text", choices_in_prompt=False, step_separator=", "
)


@dataclass(frozen=True)
class TinyConfig:
    """Sizes of a model trained from scratch."""

    __pydantic_config__: ClassVar = STRICT

    hidden: Count = 128
    """Width of the residual stream."""

    layers: Count = 4
    """Decoder layers."""

    heads: Count = 4
    """Attention heads of a layer; as many key-value heads."""

    feed_forward: Count = 384
    """Width of the decoder's MLPs."""

    vision_layers: Count = 2
    """Layers of the vision tower."""

    vision_hidden: Count = 64
    """Width of the vision tower."""

    initializer_range: Amount = 0.05
    """Standard deviation of the initial weights."""

    tied: bool = True
    """Whether the head is the embedding table, as in the family's 2B model. A hidden state that
    predicts a token then points where that token's embedding does, and can be fed back as one."""

    def __post_init__(self) -> None:
        """Refuse sizes whose rotations do not come out even."""
        check(self, "init")
        if self.hidden % (8 * self.heads):
            raise UserError(f"init: hidden={self.hidden} is no multiple of 8 x {self.heads} heads")
        if self.vision_hidden % 16:
            raise UserError(f"init: vision_hidden={self.vision_hidden} is no multiple of 16")


def phrase_tokenizer(phrases: Sequence[str]) -> PreTrainedTokenizerFast:
    """Build a tokenizer whose units are words and whole phrases such as "red circle".

    Punctuation is for the reader: the tokenizer drops it, since a separator between two steps of a
    rationale made look-ups far harder to learn. One token an object makes a step of the rationale
    one token, as a latent step is one state (LOG.md has both measurements).
    """
    known = [*SPECIALS, PLACEHOLDER, *dict.fromkeys(phrases)]
    longest_first = sorted((p for p in phrases if " " in p), key=len, reverse=True)
    units = "|".join([*map(re.escape, longest_first), r"<[^>\s]+>", r"[^\s.,:;?!<>]+"])
    tokenizer = Tokenizer(
        models.WordLevel({word: i for i, word in enumerate(known)}, unk_token="<unk>")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(units), behavior="removed", invert=True)
    return wrapped(tokenizer)


def wrapped(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    """Give a tokenizer that knows `SPECIALS` and `PLACEHOLDER` their parts, and a chat template."""
    tokenizer_class: Any = PreTrainedTokenizerFast
    fast: PreTrainedTokenizerFast = tokenizer_class(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="<eos>",
        unk_token="<unk>",
        additional_special_tokens=[*SPECIALS[3:], PLACEHOLDER],
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


def tiny_reasoner(
    plan: LatentPlan, config: TinyConfig | None = None, seed: int = 0, name: str = "tiny"
) -> Reasoner:
    """Build an untrained reasoner that can read the diagnostic benchmark."""
    tokenizer = phrase_tokenizer([*Benchmark.vocabulary(), "Answer"])
    processor = Qwen2VLImageProcessorPil(temporal_patch_size=1)
    return assembled(plan, config or TinyConfig(), tokenizer, processor, seed, name)


def assembled(
    plan: LatentPlan,
    config: TinyConfig,
    tokenizer: PreTrainedTokenizerFast,
    processor: Qwen2VLImageProcessorPil,
    seed: int = 0,
    name: str = "tiny",
    format: PromptFormat = FORMAT,
    context: int = 512,
) -> Reasoner:
    """Build an untrained Qwen2-VL around a tokenizer and an image processor.

    Args:
        plan: how it reasons.
        config: its sizes.
        tokenizer: one that `wrapped` returned.
        processor: what says how large patches are.
        seed: of its initial weights.
        name: what rows call it.
        format: how it is asked.
        context: positions that it is made for.
    """
    ids: dict[str, int] = tokenizer.get_vocab()
    head_dim = config.hidden // config.heads
    rows = columns = 3 * head_dim // 16
    config_class: Any = Qwen2VLConfig
    torch.manual_seed(seed)
    model = Qwen2VLForConditionalGeneration(
        config_class(
            text_config={
                "vocab_size": len(tokenizer),
                "hidden_size": config.hidden,
                "intermediate_size": config.feed_forward,
                "num_hidden_layers": config.layers,
                "num_attention_heads": config.heads,
                "num_key_value_heads": config.heads,
                "max_position_embeddings": context,
                "initializer_range": config.initializer_range,
                "rope_parameters": {
                    "rope_type": "default",
                    "rope_theta": 10000.0,
                    "mrope_section": [head_dim // 2 - rows - columns, rows, columns],
                },
                "bos_token_id": None,
                "eos_token_id": ids["<eos>"],
                "pad_token_id": ids["<pad>"],
            },
            vision_config={
                "depth": config.vision_layers,
                "embed_dim": config.vision_hidden,
                "hidden_size": config.hidden,
                "num_heads": 4,
                "mlp_ratio": 2,
                "patch_size": processor.patch_size,
                "spatial_merge_size": processor.merge_size,
                "temporal_patch_size": 1,
                "initializer_range": config.initializer_range,
            },
            image_token_id=ids["<|image_pad|>"],
            vision_start_token_id=ids["<|vision_start|>"],
            vision_end_token_id=ids["<|vision_end|>"],
            tie_word_embeddings=config.tied,
            initializer_range=config.initializer_range,
        )
    )
    backbone = Qwen2VLBackbone(model, processor)
    prompter = Prompter(tokenizer, backbone, format)
    return Reasoner(backbone, plan, prompter, ids[PLACEHOLDER], name)

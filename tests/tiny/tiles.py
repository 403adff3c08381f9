"""Tiny LLaVA-OneVision, Idefics3 and SmolVLM: at most two by two tiles of four by four patches."""

from typing import Any

import torch
from transformers import Idefics3Config, LlavaOnevisionConfig, PreTrainedConfig, SmolVLMConfig
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import (
    LlavaOnevisionImageProcessorPil,
)
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

from latentlab.backbones import (
    Backbone,
    Idefics3Backbone,
    LlavaOnevisionBackbone,
    SmolVLMBackbone,
)
from latentlab.reasoner import Reasoner
from tests.tiny.common import picture_first, reasoner_of, word_tokenizer

TILE = 16
"""Height and width of a tile, in pixels."""

TEXT: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 1024,
    "initializer_range": 0.2,
    "bos_token_id": None,
    "eos_token_id": 1,
    "pad_token_id": 0,
}
VISION: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": TILE,
    "patch_size": 4,
}
SIGLIP = {**VISION, "model_type": "siglip_vision_model", "vision_use_head": False}


def llava_onevision() -> Reasoner:
    """The whole picture, its tiles without their padding, and a newline after every row."""
    tokenizer = word_tokenizer(("<image>", "<video>"), picture_first("<image>"))
    shapes = [[TILE * rows, TILE * columns] for rows in (1, 2) for columns in (1, 2)]
    config = LlavaOnevisionConfig(
        vision_config=SIGLIP,
        text_config={**TEXT, "model_type": "qwen2", "vocab_size": len(tokenizer)},
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        video_token_index=tokenizer.convert_tokens_to_ids("<video>"),
        image_grid_pinpoints=shapes,
    )
    size = {"height": TILE, "width": TILE}
    processor = LlavaOnevisionImageProcessorPil(size=size, image_grid_pinpoints=shapes)
    return reasoner_of(_weights(LlavaOnevisionBackbone, config, processor), tokenizer)


def idefics3(longest_edge: int = 2 * TILE) -> Reasoner:
    """Tiles between markers; one `longest_edge` long they are not cut."""
    return _idefics(Idefics3Backbone, Idefics3Config, Idefics3ImageProcessorPil, longest_edge)


def smolvlm(longest_edge: int = 2 * TILE) -> Reasoner:
    """The same under its other names."""
    return _idefics(SmolVLMBackbone, SmolVLMConfig, SmolVLMImageProcessorPil, longest_edge)


def _idefics(
    family: type[Backbone], config_class: Any, processor_class: Any, longest_edge: int
) -> Reasoner:
    tiles = [f"<row_{row}_col_{column}>" for row in (1, 2) for column in (1, 2)]
    markers = ["<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>"]
    tokenizer = word_tokenizer([*markers, *tiles], picture_first("<image>"))
    config = config_class(
        vision_config=VISION,
        text_config={**TEXT, "model_type": "llama", "vocab_size": len(tokenizer)},
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        pad_token_id=0,
    )
    processor = processor_class(
        size={"longest_edge": longest_edge}, max_image_size={"longest_edge": TILE}
    )
    return reasoner_of(_weights(family, config, processor), tokenizer)


def _weights(family: type[Backbone], config: PreTrainedConfig, processor: Any) -> Backbone:
    torch.manual_seed(0)
    model_class: Any = family.model_class
    return family(model_class(config).eval(), processor)

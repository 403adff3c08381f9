"""Tiny Qwen2-VL, Qwen2.5-VL and Qwen3-VL, with what is odd about each kept."""

import torch
from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from latentlab.backbones import Qwen2VLBackbone, Qwen3VLBackbone, Qwen25VLBackbone
from latentlab.reasoner import Reasoner
from tests.tiny.common import picture_first, reasoner_of, word_tokenizer

SPECIALS = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>")
TEMPLATE = picture_first("<|vision_start|><|image_pad|><|vision_end|>")
TOKENIZER = word_tokenizer(SPECIALS, TEMPLATE)

TEXT = {
    "vocab_size": len(TOKENIZER),
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
IDS = {
    "image_token_id": TOKENIZER.convert_tokens_to_ids("<|image_pad|>"),
    "vision_start_token_id": TOKENIZER.convert_tokens_to_ids("<|vision_start|>"),
    "vision_end_token_id": TOKENIZER.convert_tokens_to_ids("<|vision_end|>"),
    "video_token_id": -1,
}
ROPE = {"rope_type": "default", "rope_theta": 10000.0}


def qwen2_vl() -> Reasoner:
    """Three-axis positions."""
    vision = {"depth": 1, "embed_dim": 32, "hidden_size": 32, "num_heads": 2, "mlp_ratio": 2}
    text = {**TEXT, "rope_parameters": {**ROPE, "mrope_section": [2, 1, 1]}}
    config = Qwen2VLConfig(text_config=text, vision_config=vision, **IDS)
    torch.manual_seed(0)
    model = Qwen2VLForConditionalGeneration(config).eval()
    return reasoner_of(Qwen2VLBackbone(model, Qwen2VLImageProcessorPil()), TOKENIZER)


def qwen2_5_vl() -> Reasoner:
    """Windows of two by two merged patches in all layers of the tower but the last."""
    vision = {
        "depth": 2,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_heads": 2,
        "out_hidden_size": 32,
        "window_size": 56,
        "fullatt_block_indexes": (1,),
        "initializer_range": 0.2,
    }
    text = {**TEXT, "rope_parameters": {**ROPE, "mrope_section": [2, 1, 1]}}
    config = Qwen2_5_VLConfig(text_config=text, vision_config=vision, **IDS)
    torch.manual_seed(0)
    model = Qwen2_5_VLForConditionalGeneration(config).eval()
    return reasoner_of(Qwen25VLBackbone(model, Qwen2VLImageProcessorPil()), TOKENIZER)


def qwen3_vl() -> Reasoner:
    """Features of two layers of the tower are added after the first two of the decoder."""
    vision = {
        "depth": 3,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_heads": 2,
        "out_hidden_size": 32,
        "num_position_embeddings": 64,
        "deepstack_visual_indexes": (0, 1),
        "initializer_range": 0.2,
    }
    rope = {**ROPE, "mrope_section": [2, 1, 1], "mrope_interleaved": True}
    text = {**TEXT, "head_dim": 8, "rope_parameters": rope}
    config = Qwen3VLConfig(text_config=text, vision_config=vision, **IDS)
    torch.manual_seed(0)
    model = Qwen3VLForConditionalGeneration(config).eval()
    processor = Qwen2VLImageProcessorPil(patch_size=16)
    return reasoner_of(Qwen3VLBackbone(model, processor), TOKENIZER)

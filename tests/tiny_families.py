"""Small models of the families that cut pictures into tiles, or see them both ways."""

from collections.abc import Sequence
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import (
    Gemma3Config,
    Idefics3Config,
    LlavaOnevisionConfig,
    PreTrainedTokenizerFast,
    SmolVLMConfig,
)
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import (
    LlavaOnevisionImageProcessorPil,
)
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

from latentlab.backbones import Backbone
from latentlab.backbones.gemma3 import Gemma3Backbone
from latentlab.backbones.idefics3 import Idefics3Backbone, SmolVLMBackbone
from latentlab.backbones.llava_onevision import LlavaOnevisionBackbone
from latentlab.prompts import Prompter, PromptFormat
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan

SPECIALS = ("<pad>", "<eos>", "<unk>", "<latent>")
WORDS = ("Follow", "hop", "hops", "from", "the", "circle", "square", "red", "one", "two")
WORDS += ("A", "B", "C", "D", "Answer", "is", ".", ":", ",", "\n", "\n\n")
TILE = 16
"""Height and width of a tile in pixels: four by four patches of the vision tower."""

TEXT: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "initializer_range": 0.2,
    "bos_token_id": None,
    "eos_token_id": 1,
    "pad_token_id": 0,
}
VISION: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": TILE,
    "patch_size": 4,
}
SIGLIP = VISION | {"model_type": "siglip_vision_model", "vision_use_head": False}


def tokenizer_with(image_tokens: Sequence[str]) -> PreTrainedTokenizerFast:
    """Words of the tests' questions and newlines, behind a family's own tokens."""
    words = [*SPECIALS, *image_tokens, *WORDS]
    tokenizer = Tokenizer(
        models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split(
        Regex(r"\w+|\n+|[^\w\s]"), behavior="removed", invert=True
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="<eos>",
        unk_token="<unk>",
        additional_special_tokens=["<latent>", *image_tokens],
        padding_side="left",
    )


def assembled(
    family: type[Backbone],
    config: Any,
    processor: Any,
    tokenizer: PreTrainedTokenizerFast,
    plan: LatentPlan,
) -> Reasoner:
    """Untrained weights for a configuration, put together as a model that can be asked."""
    torch.manual_seed(0)
    model_class: Any = family.model_class
    model = model_class(config).eval()
    if (projection := model.state_dict().get(PROJECTION)) is not None:
        projection.normal_(std=0.2)  # begins at zero, which would make all pictures one
    backbone = family(model, processor)
    placeholder = tokenizer.convert_tokens_to_ids("<latent>")
    prompter = Prompter(tokenizer, backbone, PromptFormat())
    return Reasoner(backbone, plan, prompter, placeholder, config.model_type)


PROJECTION = "model.multi_modal_projector.mm_input_projection_weight"


def tiny_llava_onevision(plan: LatentPlan) -> Reasoner:
    """A LLaVA-OneVision with 16 patches a tile, and at most two by two tiles."""
    tokenizer = tokenizer_with(["<image>", "<video>"])
    ids = tokenizer.get_vocab()
    shapes = [[TILE * rows, TILE * columns] for rows in (1, 2) for columns in (1, 2)]
    config = LlavaOnevisionConfig(
        vision_config=SIGLIP,
        text_config=TEXT | {"model_type": "qwen2", "vocab_size": len(ids)},
        image_token_index=ids["<image>"],
        video_token_index=ids["<video>"],
        image_grid_pinpoints=shapes,
    )
    processor = LlavaOnevisionImageProcessorPil(
        size={"height": TILE, "width": TILE}, image_grid_pinpoints=shapes
    )
    return assembled(LlavaOnevisionBackbone, config, processor, tokenizer, plan)


def tiny_idefics3(plan: LatentPlan) -> Reasoner:
    """An Idefics3 with 4 image tokens a tile, and at most two by two tiles."""
    return _idefics(Idefics3Backbone, Idefics3Config, Idefics3ImageProcessorPil, plan)


def tiny_smolvlm(plan: LatentPlan) -> Reasoner:
    """The same as a SmolVLM."""
    return _idefics(SmolVLMBackbone, SmolVLMConfig, SmolVLMImageProcessorPil, plan)


def _idefics(
    family: type[Backbone], config_class: Any, processor_class: Any, plan: LatentPlan
) -> Reasoner:
    tiles = [f"<row_{row}_col_{column}>" for row in (1, 2) for column in (1, 2)]
    markers = ["<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>"]
    tokenizer = tokenizer_with([*markers, *tiles])
    ids = tokenizer.get_vocab()
    config = config_class(
        vision_config=VISION,
        text_config=TEXT | {"model_type": "llama", "vocab_size": len(ids)},
        image_token_id=ids["<image>"],
        pad_token_id=0,
    )
    processor = processor_class(
        size={"longest_edge": 2 * TILE}, max_image_size={"longest_edge": TILE}
    )
    return assembled(family, config, processor, tokenizer, plan)


def tiny_gemma3(plan: LatentPlan) -> Reasoner:
    """A Gemma 3 with 4 image tokens, whose window is shorter than any prompt."""
    tokenizer = tokenizer_with(["<start_of_image>", "<image_soft_token>", "<end_of_image>"])
    ids = tokenizer.get_vocab()
    kinds = ["sliding_attention", "full_attention", "sliding_attention"]
    text = TEXT | {
        "vocab_size": len(ids),
        "num_hidden_layers": len(kinds),
        "layer_types": kinds,
        "sliding_window": 6,
        "head_dim": 8,
        "query_pre_attn_scalar": 8,
    }
    config = Gemma3Config(
        vision_config=SIGLIP,
        text_config=text,
        mm_tokens_per_image=4,
        image_token_index=ids["<image_soft_token>"],
        boi_token_index=ids["<start_of_image>"],
        eoi_token_index=ids["<end_of_image>"],
    )
    processor = Gemma3ImageProcessorPil(size={"height": TILE, "width": TILE})
    return assembled(Gemma3Backbone, config, processor, tokenizer, plan)

"""A tiny Gemma 3: four image tokens, and a window that is shorter than any prompt."""

import torch
from transformers import Gemma3Config, Gemma3ForConditionalGeneration
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil

from latentlab.backbones import Gemma3Backbone
from latentlab.reasoner import Reasoner
from tests.tiny.common import picture_first, reasoner_of, word_tokenizer
from tests.tiny.tiles import SIGLIP, TEXT, TILE

SPECIALS = ("<start_of_image>", "<image_soft_token>", "<end_of_image>")
TOKENIZER = word_tokenizer(SPECIALS, picture_first("<start_of_image>"))
LAYERS = ("sliding_attention", "full_attention", "sliding_attention")


def gemma3(window: int = 6) -> Reasoner:
    """Layers that see a window, and one between them that sees all."""
    config = Gemma3Config(
        vision_config=SIGLIP,
        text_config={
            **TEXT,
            "vocab_size": len(TOKENIZER),
            "num_hidden_layers": len(LAYERS),
            "layer_types": list(LAYERS),
            "sliding_window": window,
            "head_dim": 8,
            "query_pre_attn_scalar": 8,
        },
        mm_tokens_per_image=4,
        image_token_index=TOKENIZER.convert_tokens_to_ids("<image_soft_token>"),
        boi_token_index=TOKENIZER.convert_tokens_to_ids("<start_of_image>"),
        eoi_token_index=TOKENIZER.convert_tokens_to_ids("<end_of_image>"),
    )
    torch.manual_seed(0)
    model = Gemma3ForConditionalGeneration(config).eval()
    with torch.no_grad():  # norms and the projector begin at zero, which would hide what they do
        model.model.multi_modal_projector.mm_input_projection_weight.normal_(std=0.2)
        for name, weight in model.named_parameters():
            if "norm" in name and "vision_tower" not in name:
                weight.normal_(std=0.2)
    processor = Gemma3ImageProcessorPil(size={"height": TILE, "width": TILE})
    return reasoner_of(Gemma3Backbone(model, processor), TOKENIZER)

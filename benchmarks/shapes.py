"""The model on which interventions are measured: the shape of Qwen2-VL at 46 million parameters.

Its key-value heads are fewer than its heads and its vocabulary is larger than the diagnostic
benchmark's, so it is built here, around the tokenizer and the pictures of the tiny models. Weights
are random.
"""

import copy
from typing import Any

import torch

from benchmarks.scaling import Model
from latentlab.backbones.qwen2_vl import Qwen2VLBackbone
from latentlab.prompts import Prompter
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan
from latentlab.training.tiny import FORMAT, TinyConfig, tiny_reasoner

MODEL = TinyConfig(
    hidden=512,
    layers=12,
    heads=8,
    feed_forward=1408,
    vision_layers=4,
    vision_hidden=256,
    tied=False,
)
KEY_VALUE_HEADS, VOCABULARY = 2, 8000


def medium(plan: LatentPlan) -> Reasoner:
    """Build the model with random weights."""
    tiny = tiny_reasoner(plan, MODEL)
    like: Any = tiny.backbone.model
    config = copy.deepcopy(like.config)
    config.text_config.num_key_value_heads = KEY_VALUE_HEADS
    config.text_config.vocab_size = VOCABULARY
    torch.manual_seed(0)
    backbone = Qwen2VLBackbone(type(like)(config), tiny.backbone.image_processor)
    prompter = Prompter(tiny.prompter.tokenizer, backbone, FORMAT)
    return Reasoner(backbone, plan, prompter, tiny.placeholder_id, "46M")


def on_paper(reasoner: Reasoner) -> Model:
    """Its sizes as `benchmarks/scaling.py` counts with them, in single precision."""
    tower = sum(weight.numel() for weight in reasoner.backbone.vision.parameters())
    return Model(
        MODEL.hidden,
        MODEL.layers,
        MODEL.heads,
        KEY_VALUE_HEADS,
        MODEL.feed_forward,
        VOCABULARY,
        tower,
        4,
    )

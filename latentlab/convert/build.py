"""Makes a reasoner of a published checkpoint: weights, adapters merged or kept, words and plan."""

from collections.abc import Mapping
from typing import Any

import torch
from peft import LoraConfig
from torch import Tensor
from transformers import PreTrainedModel

from latentlab.checkpoint import quiet
from latentlab.convert.base import PLACEHOLDER, Base
from latentlab.convert.broken import reading
from latentlab.convert.config import ConvertConfig
from latentlab.convert.layout import Published
from latentlab.errors import UserError
from latentlab.lora import adapter_names, attach
from latentlab.prompts import Prompter, prompt_format
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan
from latentlab.training.config import LoraConfig as PublishedLora

MOST_ALPHA = 1e9
"""No adapter counts as much."""


def told_alpha(told: Mapping[str, Any]) -> float | None:
    """LoRA's alpha, where settings of any depth tell it as peft does; None where none do.

    Raises:
        UserError: what is told is no number above 0.
    """
    if (alpha := told.get("lora_alpha")) is not None:
        if type(alpha) not in (int, float) or not 0 < alpha < MOST_ALPHA:
            raise UserError(f"lora_alpha is {str(alpha)[:40]}: it is a number above 0")
        return float(alpha)
    inner = (told_alpha(value) for value in told.values() if isinstance(value, Mapping))
    return next((alpha for alpha in inner if alpha is not None), None)


def reasoner_of(
    base: Base, published: Published, alpha: float, dtype: torch.dtype, config: ConvertConfig
) -> Reasoner:
    """Put a reasoner together.

    Args:
        base: what the base brings.
        published: the checkpoint.
        alpha: LoRA's alpha.
        dtype: precision of all weights.
        config: plan, prompts, and whether adapters are kept.

    Raises:
        UserError: the base has no usable image processor, or the tokenizer of another model, or
            the name of the prompts is unknown.
    """
    format = prompt_format(config.prompts)
    plan = LatentPlan(steps=config.steps, k=config.k, pick_order="published")
    model = _model(base, published, alpha, dtype, config.no_merge)
    with reading(f"the image processor of {base.folder}"):
        processor = base.family.load_image_processor(str(base.folder))
    backbone = base.family(model, processor)
    ids: Any = base.tokenizer.convert_tokens_to_ids([backbone.image_token, PLACEHOLDER])
    if ids[0] != backbone.image_token_id or base.tokenizer.eos_token_id is None:
        raise UserError(
            f"the tokenizer of {base.folder} does not fit its config.json: {backbone.image_token} "
            f"is not token {backbone.image_token_id}, or no token ends an answer"
        )
    prompter = Prompter(base.tokenizer, backbone, format)
    return Reasoner(backbone, plan, prompter, ids[1], config.out.name)


def merged(published: Published, alpha: float, dtype: torch.dtype) -> dict[str, Tensor]:
    """Weights with adapters added, W + alpha / rank B A (Hu et al. 2021, arXiv 2106.09685).

    Sums are taken in float32 and then rounded to `dtype`, so that a checkpoint in half precision
    loses nothing before.
    """
    weights = dict(published.weights)
    for name in published.adapted:
        a, b = (published.adapters[n].float() for n in adapter_names(name.removesuffix(".weight")))
        weights[name] = (weights[name].float() + alpha / published.rank * (b @ a)).to(dtype)
    return weights


def _model(
    base: Base, published: Published, alpha: float, dtype: torch.dtype, keep: bool
) -> PreTrainedModel:
    """The model with its weights."""
    model_class: Any = base.family.model_class
    weights = published.weights if keep else merged(published, alpha, dtype)
    with quiet():
        model = model_class.from_pretrained(
            None, config=base.config, state_dict=weights, dtype=dtype
        )
    if base.generation is not None:
        model.generation_config = base.generation
    if published.rank and keep:
        settings = LoraConfig(
            r=published.rank,
            lora_alpha=alpha,  # type: ignore[arg-type]  # any number will do
            lora_dropout=PublishedLora.dropout,
            target_modules=[name.removesuffix(".weight") for name in published.adapted],
        )
        attach(model, settings, published.adapters)
    loaded: PreTrainedModel = model.eval()
    return loaded

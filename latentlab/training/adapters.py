"""Which weights a stage trains: all, all but the vision tower, or adapters on the decoder.

Adapters last for one stage: they are merged into the weights when it ends, so that every saved
model is an ordinary one. Those that a model was loaded with are its own, and stay.
"""

import warnings
from typing import cast

import torch
from peft import LoraConfig as PeftLoraConfig
from peft import PeftModel, get_peft_model
from torch import nn

from latentlab.backbones import Backbone
from latentlab.errors import UserError
from latentlab.lora import train_adapters
from latentlab.training.config import LoraConfig

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""The seven projections that the published training adapts."""


def freeze(module: nn.Module) -> None:
    """Take a part of the model out of training."""
    for parameter in module.parameters():
        parameter.requires_grad_(False)


def add_adapters(backbone: Backbone, lora: LoraConfig, seed: int) -> PeftModel | None:
    """Freeze a model and put adapters on its decoder's projections.

    The model is changed in place, so everything that runs it runs the adapted one. A model that was
    saved with adapters beside its weights goes on with those, and keeps them.

    Args:
        backbone: the model; its vision tower gets no adapters, whatever its layers are called.
        lora: rank, scale and dropout.
        seed: seed of the adapters' first weights.

    Returns:
        The wrapper, whose `merge_and_unload` puts the adapters into the weights; None where they
        are the model's own.

    Raises:
        UserError: the decoder has none of the projections, or adapters of another rank or scale.
    """
    if train_adapters(backbone.model, lora.rank, lora.alpha):
        return None
    inner = {id(module) for module in backbone.decoder.modules()}
    targets = [
        name
        for name, module in backbone.model.named_modules()
        if id(module) in inner and name.rpartition(".")[-1] in PROJECTIONS
    ]
    if not targets:
        raise UserError(f"the decoder has nothing to adapt: none of {', '.join(PROJECTIONS)}")
    # Without a seed of their own, a stage resumed in a new process would begin with other adapters.
    torch.manual_seed(seed)
    settings = PeftLoraConfig(
        r=lora.rank,
        lora_alpha=cast(int, lora.alpha),  # any number will do: it is only divided by the rank
        lora_dropout=lora.dropout,
        target_modules=targets,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft asks for an attribute by its old name
        return cast(PeftModel, get_peft_model(backbone.model, settings))

"""Hugging Face vision-language models behind one narrow interface, one file a family."""

from latentlab.backbones.attention import Capture
from latentlab.backbones.base import Backbone
from latentlab.backbones.chameleon import ChameleonBackbone
from latentlab.backbones.components import Component
from latentlab.backbones.gemma3 import Gemma3Backbone
from latentlab.backbones.idefics3 import Idefics3Backbone, SmolVLMBackbone
from latentlab.backbones.inputs import Batch, Embedded, ImageInputs, Masks, Pixels
from latentlab.backbones.llava_onevision import LlavaOnevisionBackbone
from latentlab.backbones.qwen2_5_vl import Qwen25VLBackbone
from latentlab.backbones.qwen2_vl import Qwen2VLBackbone
from latentlab.backbones.qwen3_vl import Qwen3VLBackbone
from latentlab.errors import UserError

FAMILIES: dict[str, type[Backbone]] = {
    model_type: family
    for family in (
        Qwen2VLBackbone,
        Qwen25VLBackbone,
        Qwen3VLBackbone,
        ChameleonBackbone,
        LlavaOnevisionBackbone,
        Idefics3Backbone,
        SmolVLMBackbone,
        Gemma3Backbone,
    )
    for model_type in family.model_types
}
"""Backbone classes by the `model_type` of a checkpoint's configuration."""


def family_of(model_type: str) -> type[Backbone]:
    """Return the backbone class for a checkpoint's `model_type`.

    Raises:
        UserError: no family file covers it.
    """
    if model_type not in FAMILIES:
        known = ", ".join(sorted(FAMILIES))
        raise UserError(
            f"no backbone drives models of type {model_type!r}; known: {known}; "
            "docs/extending.md shows how to add one"
        )
    return FAMILIES[model_type]


__all__ = [
    "FAMILIES",
    "Backbone",
    "Batch",
    "Capture",
    "ChameleonBackbone",
    "Component",
    "Embedded",
    "Gemma3Backbone",
    "Idefics3Backbone",
    "ImageInputs",
    "LlavaOnevisionBackbone",
    "Masks",
    "Pixels",
    "Qwen2VLBackbone",
    "Qwen3VLBackbone",
    "Qwen25VLBackbone",
    "SmolVLMBackbone",
    "family_of",
]

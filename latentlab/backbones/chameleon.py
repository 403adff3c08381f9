"""Chameleon: images become discrete tokens of the same vocabulary.

The odd thing of this family is that an "image embedding" is an ordinary row of the token table,
chosen by a VQ tokenizer, so no gradient reaches the picture; and that image tokens may never be
generated: their logits are set to the lowest value. The 30B model also norms what attention and the
MLP add where the 7B model norms what they read (`swin_norm`).
"""

from collections.abc import Sequence
from typing import Any, ClassVar, cast

import torch
from jaxtyping import Float
from PIL.Image import Image
from torch import Tensor, nn
from transformers import ChameleonForConditionalGeneration, PreTrainedModel
from transformers.models.chameleon.image_processing_pil_chameleon import ChameleonImageProcessorPil

from latentlab.backbones.base import Backbone
from latentlab.backbones.components import Component
from latentlab.backbones.inputs import ImageInputs, Pixels


class ChameleonBackbone(Backbone):
    """`ChameleonForConditionalGeneration` and its PIL image processor."""

    model_types: ClassVar[tuple[str, ...]] = ("chameleon",)
    model_class: ClassVar[type[PreTrainedModel]] = ChameleonForConditionalGeneration

    @classmethod
    def load_image_processor(cls, path: str) -> Any:
        """Load the PIL processor: the stock one needs torchvision."""
        return ChameleonImageProcessorPil.from_pretrained(path)

    @property
    def decoder(self) -> nn.Module:
        """The model without its head."""
        return cast(nn.Module, self.model.model)

    def component(self, layer: int, name: Component) -> nn.Module:
        """As in other families, save that in the 30B model what is added comes out of a norm."""
        if not self.model.config.swin_norm or name not in ("attn_out", "mlp_out"):
            return super().component(layer, name)
        block: Any = self.layers[layer]
        attended = name == "attn_out"
        normed = block.input_layernorm if attended else block.post_attention_layernorm
        return cast(nn.Module, normed)

    def attention_norm(self, layer: int) -> nn.Module | None:
        """The norm between attention and the stream, which the 30B model has."""
        return self.component(layer, "attn_out") if self.model.config.swin_norm else None

    @property
    def vision(self) -> nn.Module:
        """The VQ tokenizer."""
        return cast(nn.Module, self.model.model.vqmodel)

    @property
    def image_token_id(self) -> int:
        """`<image>`, the placeholder that VQ tokens replace."""
        return int(self.model.model.vocabulary_mapping.image_token_id)

    @property
    def image_token(self) -> str:
        """The placeholder of one VQ token."""
        return "<image>"

    def prepare_images(self, images: Sequence[Image]) -> ImageInputs:
        """Resize and crop to the VQ tokenizer's one resolution; two tokens frame an image."""
        features = self.image_processor(images=list(images), return_tensors="pt")
        vq = self.model.config.vq_config
        side = int(vq.resolution) // 2 ** (len(vq.channel_multiplier) - 1)
        text = f"<racm3:break>{self.image_token * side**2}<eoss>"
        n = len(images)
        return ImageInputs(dict(features), (side**2,) * n, (text,) * n, ((side, side),) * n)

    def image_embeds(self, pixels: Pixels) -> Float[Tensor, "patches hidden"]:
        """Rows of the token table for the VQ tokens of the images."""
        with torch.no_grad():
            pictures = pixels["pixel_values"].to(self.model.dtype)
            tokens = self.model.model.get_image_tokens(pictures)
        return self.embed_tokens(tokens).flatten(0, 1)

    def logits(self, hidden: Float[Tensor, "... hidden"]) -> Float[Tensor, "... vocab"]:
        """Logits with image tokens ruled out, as in transformers' own forward."""
        logits = super().logits(hidden).clone()
        logits[..., self.model.model.vocabulary_mapping.image_tokens] = torch.finfo(
            logits.dtype
        ).min
        return logits

    def _set_attention(self, name: str) -> None:
        self.model.set_attn_implementation(name)

"""Gemma 3: pictures see themselves in both directions, and most layers see a window only.

The odd things of this family, by layer and position:

- the patches of a picture attend to each other both ways when the prompt is read; a patch that a
  latent step re-inserts is a token like any other and sees what came before it;
- of the layers, those of type `sliding_attention` see the newest `sliding_window` tokens, with
  rotary positions of their own base. The cache still keeps everything, so that attention rows of
  all layers are as long as the sequence, and zero beyond the window. Which patches of a picture
  that lies there are picked is up to the other layers (`LatentPlan.select_layers` can name them);
- word embeddings are scaled by the root of the hidden size, images and fed-back states are not;
- a layer normalizes what attention and the MLP add once more before it is added, so that
  `attn_out` and `mlp_out` are what comes out of those norms.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, cast

import torch
from jaxtyping import Bool, Float
from PIL.Image import Image
from torch import Tensor, nn
from transformers import Gemma3ForConditionalGeneration, PreTrainedModel
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil

from latentlab.backbones.base import Backbone
from latentlab.backbones.components import Component
from latentlab.backbones.inputs import Batch, ImageInputs, Masks, Pixels


class Gemma3Backbone(Backbone):
    """`Gemma3ForConditionalGeneration` and its PIL image processor."""

    model_types: ClassVar[tuple[str, ...]] = ("gemma3",)
    model_class: ClassVar[type[PreTrainedModel]] = Gemma3ForConditionalGeneration
    both_ways: ClassVar[bool] = True

    @classmethod
    def load_image_processor(cls, path: str) -> Any:
        """Load the PIL processor: the stock one needs torchvision."""
        return Gemma3ImageProcessorPil.from_pretrained(path)

    @property
    def decoder(self) -> nn.Module:
        """The text model."""
        return cast(nn.Module, self.model.model.language_model)

    def component(self, layer: int, name: Component) -> nn.Module:
        """As in other families, save that what is added comes out of a norm."""
        if name not in ("attn_out", "mlp_out"):
            return super().component(layer, name)
        block: Any = self.layers[layer]
        attended = name == "attn_out"
        normed = block.post_attention_layernorm if attended else block.post_feedforward_layernorm
        return cast(nn.Module, normed)

    def attention_norm(self, layer: int) -> nn.Module:
        """The norm that attention's output goes through before it is added."""
        return self.component(layer, "attn_out")

    def gain(self, norm: nn.Module) -> Float[Tensor, " hidden"]:
        """Weights of these norms are counted from 1."""
        return 1 + norm.get_parameter("weight")

    @property
    def vision(self) -> nn.Module:
        """The vision tower, without the projector."""
        return cast(nn.Module, self.model.model.vision_tower)

    @property
    def image_token(self) -> str:
        """What stands for one patch between the begin and the end of an image."""
        return "<image_soft_token>"

    @property
    def image_slot(self) -> str:
        """The begin of an image, which is all that the chat template writes."""
        return "<start_of_image>"

    def prepare_images(self, images: Sequence[Image]) -> ImageInputs:
        """Squeeze every picture into one square; crops beside it (pan and scan) are not taken."""
        features = self.image_processor(
            images=list(images), do_pan_and_scan=False, return_tensors="pt"
        )
        count, n = int(self.model.config.mm_tokens_per_image), len(images)
        side = int(count**0.5)
        text = f"\n\n<start_of_image>{self.image_token * count}<end_of_image>\n\n"
        pixels = {"pixel_values": features["pixel_values"]}
        return ImageInputs(pixels, (count,) * n, (text,) * n, ((side, side),) * n)

    def image_embeds(self, pixels: Pixels) -> Float[Tensor, "patches hidden"]:
        """Pooled patches out of the vision tower and its projector."""
        pictures = pixels["pixel_values"].to(self.model.dtype)
        output = self.model.model.get_image_features(pictures)
        return cast(Tensor, output.pooler_output).flatten(0, 1)

    def own_inputs(self, batch: Batch) -> dict[str, Any]:
        """With which positions are of an image, on which attention in both directions depends."""
        image = (batch.input_ids == self.image_token_id).long()
        return {**super().own_inputs(batch), "token_type_ids": image}

    @property
    def window(self) -> int:
        """The window of its sliding layers."""
        return int(self.text_config.sliding_window)

    def masks(
        self,
        mask: Bool[Tensor, "batch 1 queries keys"] | None,
        real: Bool[Tensor, "batch keys"],
        queries: int,
    ) -> Masks:
        """The mask itself for layers that see all, and narrowed to the window for the others."""
        window, keys = self.window, real.shape[1]
        if keys <= window:
            return {"full_attention": mask, "sliding_attention": mask}
        order = real.long().cumsum(-1)
        near = (order[:, -queries:, None] - order[:, None] < window)[:, None]
        causal = torch.ones(queries, keys, dtype=torch.bool, device=real.device)
        seen = causal.tril(keys - queries) if mask is None else mask
        return {"full_attention": mask, "sliding_attention": near & seen}

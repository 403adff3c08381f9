"""Qwen2-VL: the family the published IVT-LR results are on.

The odd thing of this family is M-RoPE: a prompt's positions have three axes (time, row, column)
and an image advances them by its longer side only. The released IVT-LR code drops that layout for
a flat range; both are available (`LatentPlan.positions`).
"""

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from jaxtyping import Float, Int
from PIL.Image import Image
from torch import Tensor, nn
from transformers import PreTrainedModel, Qwen2VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from latentlab.backbones.base import Backbone
from latentlab.backbones.inputs import Batch, ImageInputs, Pixels


class Qwen2VLBackbone(Backbone):
    """`Qwen2VLForConditionalGeneration` and its PIL image processor."""

    model_types: ClassVar[tuple[str, ...]] = ("qwen2_vl",)
    model_class: ClassVar[type[PreTrainedModel]] = Qwen2VLForConditionalGeneration

    @classmethod
    def load_image_processor(cls, path: str) -> Any:
        """Load the PIL processor: the stock one needs torchvision."""
        return Qwen2VLImageProcessorPil.from_pretrained(path)

    @property
    def decoder(self) -> nn.Module:
        """The text model."""
        return cast(nn.Module, self.model.model.language_model)

    @property
    def vision(self) -> nn.Module:
        """The vision tower with its merger."""
        return cast(nn.Module, self.model.model.visual)

    @property
    def image_token(self) -> str:
        """The token that the chat template writes between the vision markers."""
        return "<|image_pad|>"

    def prepare_images(self, images: Sequence[Image]) -> ImageInputs:
        """Resize to whole merged patches and flatten them as the vision tower wants."""
        features = self.image_processor(images=list(images), return_tensors="pt")
        merge = int(self.model.config.vision_config.spatial_merge_size)
        grids = tuple((h // merge, w // merge) for _, h, w in features["image_grid_thw"].tolist())
        counts = tuple(rows * columns for rows, columns in grids)
        texts = tuple(self.image_token * count for count in counts)
        return ImageInputs(dict(features), counts, texts, grids)

    def image_embeds(self, pixels: Pixels) -> Float[Tensor, "patches hidden"]:
        """Merged patches out of the vision tower."""
        return cast(Tensor, self._seen(pixels).pooler_output)

    def mrope_positions(self, batch: Batch) -> Int[Tensor, "3 batch seq"]:
        """Three-axis positions from transformers' own rule."""
        positions, _ = self.model.model.get_rope_index(
            batch.input_ids,
            mm_token_type_ids=(batch.input_ids == self.image_token_id).int(),
            image_grid_thw=batch.pixels.get("image_grid_thw"),
            attention_mask=batch.attention_mask.long(),
        )
        return cast(Tensor, positions)

    def own_inputs(self, batch: Batch) -> dict[str, Any]:
        """Pictures need to be told which tokens are theirs."""
        if not batch.pixels:
            return super().own_inputs(batch)
        is_image = (batch.input_ids == self.image_token_id).int()
        return {**super().own_inputs(batch), "mm_token_type_ids": is_image}

    def _seen(self, pixels: Pixels) -> Any:
        """What the vision tower returns."""
        tower = self.model.model.visual
        return tower(pixels["pixel_values"].to(tower.dtype), grid_thw=pixels["image_grid_thw"])

"""LLaVA-OneVision: a picture is seen whole, and once more in tiles.

The odd thing of this family is what stands behind a picture: first the patches of the whole picture
squeezed into one square, then those of its tiles laid side by side, without what was padded and
with a learned *newline* embedding after every row. So the number of visual tokens depends on the
picture's shape, they form no single grid, and a newline can be picked as a patch can: it stands at
a position of its own that the model attends to.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, cast

import torch
from jaxtyping import Float
from PIL.Image import Image
from torch import Tensor, nn
from transformers import LlavaOnevisionForConditionalGeneration, PreTrainedModel
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import (
    LlavaOnevisionImageProcessorPil,
)
from transformers.models.llava_onevision.modeling_llava_onevision import image_size_to_num_patches

from latentlab.backbones.base import Backbone
from latentlab.backbones.inputs import ImageInputs, Pixels


class LlavaOnevisionBackbone(Backbone):
    """`LlavaOnevisionForConditionalGeneration` and its PIL image processor."""

    model_types: ClassVar[tuple[str, ...]] = ("llava_onevision",)
    model_class: ClassVar[type[PreTrainedModel]] = LlavaOnevisionForConditionalGeneration

    @classmethod
    def load_image_processor(cls, path: str) -> Any:
        """Load the PIL processor: the stock one needs torchvision."""
        return LlavaOnevisionImageProcessorPil.from_pretrained(path)

    @property
    def decoder(self) -> nn.Module:
        """The text model."""
        return cast(nn.Module, self.model.model.language_model)

    @property
    def vision(self) -> nn.Module:
        """The vision tower, without the projector."""
        return cast(nn.Module, self.model.model.vision_tower)

    @property
    def image_token(self) -> str:
        """The token that the chat template writes for a picture."""
        return "<image>"

    def prepare_images(self, images: Sequence[Image]) -> ImageInputs:
        """Cut pictures into tiles; the model's own packing of nothing says how many tokens stay."""
        features = self.image_processor(images=list(images), return_tensors="pt")
        vision = self.model.config.vision_config
        per_tile = (int(vision.image_size) // int(vision.patch_size)) ** 2
        sizes = features["image_sizes"]
        tiles = [self._tiles(size) for size in sizes.tolist()]
        _, lengths = self.model.model.pack_image_features(
            [torch.zeros(n, per_tile, 1) for n in tiles],
            sizes,
            image_newline=torch.zeros(1),
            vision_aspect_ratio=self.model.config.vision_aspect_ratio,
        )
        counts = tuple(lengths.tolist())
        texts = tuple(self.image_token * count for count in counts)
        return ImageInputs(dict(features), counts, texts, (None,) * len(counts))

    def _tiles(self, size: Sequence[int]) -> int:
        """Tiles of a picture of some height and width, the whole picture among them."""
        config = self.model.config
        return int(
            image_size_to_num_patches(
                size, config.image_grid_pinpoints, config.vision_config.image_size
            )
        )

    def image_embeds(self, pixels: Pixels) -> Float[Tensor, "patches hidden"]:
        """Projected patches, padding cut off and newlines put in."""
        pictures = {**pixels, "pixel_values": pixels["pixel_values"].to(self.model.dtype)}
        output = self.model.model.get_image_features(**pictures)
        return torch.cat(output.pooler_output)

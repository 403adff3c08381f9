"""Idefics3 and SmolVLM: tiles with markers in the prompt that say which is which.

The odd thing of this family is that a picture's text is not a count of tokens: every tile has its
own marker (`<row_1_col_2>`), rows end in a newline, and the picture as a whole comes last behind
`<global-img>`. Patches that are neighbours in the picture may stand tiles and markers apart, and
every part of it is there twice, once in its tile and once in the whole. Idefics3 and SmolVLM differ
in the names of their classes only.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, cast

import torch
from jaxtyping import Float
from PIL.Image import Image
from torch import Tensor, nn
from transformers import (
    Idefics3ForConditionalGeneration,
    PreTrainedModel,
    SmolVLMForConditionalGeneration,
)
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

from latentlab.backbones.base import Backbone
from latentlab.backbones.inputs import ImageInputs, Pixels


class Idefics3Backbone(Backbone):
    """`Idefics3ForConditionalGeneration` and its PIL image processor."""

    model_types: ClassVar[tuple[str, ...]] = ("idefics3",)
    model_class: ClassVar[type[PreTrainedModel]] = Idefics3ForConditionalGeneration

    @classmethod
    def load_image_processor(cls, path: str) -> Any:
        """Load the PIL processor: the stock one needs torchvision."""
        return Idefics3ImageProcessorPil.from_pretrained(path)

    @property
    def decoder(self) -> nn.Module:
        """The text model."""
        return cast(nn.Module, self.model.model.text_model)

    @property
    def vision(self) -> nn.Module:
        """The vision tower, without the connector."""
        return cast(nn.Module, self.model.model.vision_model)

    @property
    def image_token(self) -> str:
        """What stands for one patch, and in the chat template for a whole picture."""
        return "<image>"

    def prepare_images(self, images: Sequence[Image]) -> ImageInputs:
        """Cut pictures into rows and columns of tiles, and write what marks them."""
        features = self.image_processor(
            images=[[image] for image in images], return_row_col_info=True, return_tensors="pt"
        )
        pixels = {name: features[name] for name in ("pixel_values", "pixel_attention_mask")}
        tiled = [
            (rows, columns)
            for (rows,), (columns,) in zip(features["rows"], features["cols"], strict=True)
        ]
        per_tile = int(self.model.model.image_seq_len)
        side = int(per_tile**0.5)
        return ImageInputs(
            pixels,
            counts=tuple((rows * columns + 1) * per_tile for rows, columns in tiled),
            texts=tuple(self._text(rows, columns, per_tile) for rows, columns in tiled),
            grids=tuple(None if rows else (side, side) for rows, _ in tiled),
        )

    def _text(self, rows: int, columns: int, per_tile: int) -> str:
        """What stands for a picture: tiles row by row, if there are any, then the whole."""
        around, patches = "<fake_token_around_image>", self.image_token * per_tile
        text = ""
        for row in range(1, rows + 1):
            for column in range(1, columns + 1):
                text += f"{around}<row_{row}_col_{column}>{patches}"
            text += "\n"
        if rows:
            text += "\n"
        return f"{text}{around}<global-img>{patches}{around}"

    def image_embeds(self, pixels: Pixels) -> Float[Tensor, "patches hidden"]:
        """Patches of all tiles, shuffled together as the connector does."""
        pictures = {**pixels, "pixel_values": pixels["pixel_values"].to(self.model.dtype)}
        output = self.model.model.get_image_features(**pictures)
        return torch.cat(output.pooler_output)


class SmolVLMBackbone(Idefics3Backbone):
    """`SmolVLMForConditionalGeneration` and its PIL image processor."""

    model_types: ClassVar[tuple[str, ...]] = ("smolvlm",)
    model_class: ClassVar[type[PreTrainedModel]] = SmolVLMForConditionalGeneration

    @classmethod
    def load_image_processor(cls, path: str) -> Any:
        """Load the PIL processor: the stock one needs torchvision."""
        return SmolVLMImageProcessorPil.from_pretrained(path)

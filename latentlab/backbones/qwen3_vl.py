"""Qwen3-VL: what a picture looks like is added in later layers, too (DeepStack).

The odd thing of this family is that an image position holds more than its input embedding: after
each of the first decoder layers, features of an earlier layer of the vision tower are added to the
stream there (arXiv 2406.04334). They belong to the prompt's image positions. A re-inserted patch is
the input-level embedding and nothing else, as IVT-LR defines it: nothing is added to it in later
layers. The same holds of a patch that an edit of the prompt has overwritten.

Hooks on a layer's output (`resid_post`) see the stream before the addition, `resid_pre` of the next
layer sees it after. M-RoPE is that of Qwen2-VL with its axes interleaved, which the decoder does.
"""

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import PreTrainedModel, Qwen3VLForConditionalGeneration

from latentlab.backbones.inputs import Embedded, Pixels
from latentlab.backbones.qwen2_vl import Qwen2VLBackbone


class Qwen3VLBackbone(Qwen2VLBackbone):
    """`Qwen3VLForConditionalGeneration`, whose modules are called as those of Qwen2-VL."""

    model_types: ClassVar[tuple[str, ...]] = ("qwen3_vl",)
    model_class: ClassVar[type[PreTrainedModel]] = Qwen3VLForConditionalGeneration

    def image_features(self, pixels: Pixels) -> Embedded:
        """Merged patches, and what the decoder's first layers add to them."""
        output = self._seen(pixels)
        levels = output.deepstack_features
        return Embedded(output.pooler_output, torch.stack(levels) if levels else None)

    def deep_inputs(self, deep: Float[Tensor, "layers batch queries hidden"]) -> dict[str, Any]:
        """As if every position were of an image: where there is none, zeros are added."""
        everywhere = torch.ones(deep.shape[1:3], dtype=torch.bool, device=deep.device)
        return {
            "visual_pos_masks": everywhere,
            "deepstack_visual_embeds": list(deep.flatten(1, 2)),
        }

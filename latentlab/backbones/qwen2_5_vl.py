"""Qwen2.5-VL: Qwen2-VL with another vision tower.

The odd thing of this family is that most layers of its tower attend within windows of a few patches
only, and that patches are sorted by window on their way through and sorted back at the end: what
comes out is in reading order, as everywhere. The decoder, its three-axis positions and the image
processor are those of Qwen2-VL; only videos are timed otherwise.
"""

from typing import ClassVar

from transformers import PreTrainedModel, Qwen2_5_VLForConditionalGeneration

from latentlab.backbones.qwen2_vl import Qwen2VLBackbone


class Qwen25VLBackbone(Qwen2VLBackbone):
    """`Qwen2_5_VLForConditionalGeneration`, whose modules are called as those of Qwen2-VL."""

    model_types: ClassVar[tuple[str, ...]] = ("qwen2_5_vl",)
    model_class: ClassVar[type[PreTrainedModel]] = Qwen2_5_VLForConditionalGeneration

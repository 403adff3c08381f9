"""Read latents in the model's own words: logit lens, nearest token, direct logit attribution.

    python -m latentlab.lens
    python -m latentlab.lens --model ivtlr coconut --data benchmark:domain=letters
    python -m latentlab.lens --model no_cot gaze --slots every

At every latent step and layer: which token comes first, and where the object of each hop and the
answer stand, next to objects and options that are wrong. Then the answer's logit is taken apart
into what attention brings from the image, the question and each latent step, and what MLPs add. A
model without latents is read at the last position of its prompt.
"""

from dataclasses import dataclass
from typing import Literal

from latentlab.command import PlannedConfig


@dataclass(frozen=True, kw_only=True)
class LensConfig(PlannedConfig):
    """Flags of `python -m latentlab.lens`."""

    model: tuple[str, ...] = ("ivtlr", "relay", "gaze")
    """Models, each the name of an embedded organism, the folder of a checkpoint or a hub name."""

    slots: Literal["newest", "every"] = "newest"
    """Slots of a latent step to read: the newest, off which the next step is made, or every one."""

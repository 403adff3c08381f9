"""What goes into a vision-language model: prompts, pictures, embeddings, and who sees whom."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

Pixels = dict[str, Tensor]
"""Image inputs of a batch, named as the family's vision tower takes them; empty without images."""

Masks = Tensor | dict[str, Tensor | None] | None
"""Who sees whom, as a decoder takes it: (batch, 1, queries, keys), true where a query may attend;
one for each type of layer where layers differ; None for plain causality."""


@dataclass(frozen=True)
class Batch:
    """Aligned prompts: left-padded, so that all prompts end, and all latents begin, together."""

    examples: tuple[str, ...]
    """Identifiers of the examples, one a row."""

    input_ids: Int[Tensor, "batch seq"]
    """Token ids, one image placeholder for each visual token."""

    attention_mask: Bool[Tensor, "batch seq"]
    """False on padding."""

    pixels: Pixels
    """The images of all rows that have one, in order of row."""

    given_picks: Int[Tensor, "batch steps k"] | None = None
    """Patches to re-insert at each step, for plans that are given their picks."""

    def to(self, device: torch.device) -> "Batch":
        """Move every tensor to a device."""
        picks = self.given_picks
        return Batch(
            self.examples,
            self.input_ids.to(device),
            self.attention_mask.to(device),
            {name: pixels.to(device) for name, pixels in self.pixels.items()},
            None if picks is None else picks.to(device),
        )


@dataclass(frozen=True)
class ImageInputs:
    """Images as a vision tower takes them."""

    pixels: Pixels
    """Tensors for `Backbone.merge`."""

    counts: tuple[int, ...]
    """Visual tokens of each image."""

    texts: tuple[str, ...]
    """What stands for each image in its prompt: so many image tokens, and what the family writes
    around and between them."""

    grids: tuple[tuple[int, int] | None, ...]
    """Rows and columns in which the visual tokens lie on each image; None where they do not lie in
    one grid (tiles, tokens that end a row)."""


@dataclass(frozen=True)
class Embedded:
    """Images or whole prompts as a decoder takes them."""

    embeds: Float[Tensor, "*places hidden"]
    """Input embeddings."""

    deep: Float[Tensor, "layers *places hidden"] | None = None
    """What is added to the stream after each of the first layers (DeepStack): zero where there is
    no image, None in families that add nothing."""

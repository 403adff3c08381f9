"""What the engine needs of a vision-language model, and nothing more.

A backbone is one Hugging Face model behind a narrow interface: merge the images into embeddings,
run the decoder on embeddings with a cache, read logits. Everything that belongs to one family of
models (processor, positions, where the image tokens sit) stays in that family's file.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Literal, cast

import torch
from jaxtyping import Bool, Float, Int
from PIL.Image import Image
from torch import Tensor, nn
from transformers import Cache, DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from latentlab.backbones.attention import ATTENTION_NAME, Capture
from latentlab.backbones.components import Component, component_of
from latentlab.backbones.inputs import Batch, Embedded, ImageInputs, Masks, Pixels
from latentlab.backbones.products import quickened


class Backbone(ABC):
    """One Hugging Face vision-language model, seen as an embedding, a decoder and a head."""

    model_types: ClassVar[tuple[str, ...]]
    """The `model_type` values of the configurations this file can drive."""

    model_class: ClassVar[type[PreTrainedModel]]
    """The transformers class that holds the weights."""

    both_ways: ClassVar[bool] = False
    """Whether the positions of an image see each other in both directions."""

    def __init__(self, model: PreTrainedModel, image_processor: Any = None) -> None:
        """Wrap a model, and route its attention and its products through ours."""
        self.model = quickened(model)
        self.image_processor = image_processor
        self._set_attention(ATTENTION_NAME)

    @classmethod
    @abstractmethod
    def load_image_processor(cls, path: str) -> Any:
        """Load the image half of the processor; works without torchvision and without a hub."""

    @property
    @abstractmethod
    def decoder(self) -> nn.Module:
        """The stack of layers with its final norm; takes `inputs_embeds`."""

    @property
    def layers(self) -> nn.ModuleList:
        """The decoder's layers, for hooks."""
        return cast(nn.ModuleList, self.decoder.layers)

    def component(self, layer: int, name: Component) -> nn.Module:
        """The module that a component of a layer comes out of, or goes into, for hooks."""
        return component_of(self.layers[layer], name)

    def attention(self, layer: int) -> nn.Module:
        """The attention module of a layer."""
        block: Any = self.layers[layer]
        module: nn.Module = block.self_attn
        return module

    def attention_norm(self, layer: int) -> nn.Module | None:
        """The norm between a layer's attention and the stream, in families that have one."""
        return None

    def gain(self, norm: nn.Module) -> Float[Tensor, " hidden"]:
        """What an RMS norm of the decoder multiplies a normalized vector with."""
        return norm.get_parameter("weight")

    @property
    @abstractmethod
    def vision(self) -> nn.Module:
        """The vision tower, for freezing."""

    @property
    def image_token_id(self) -> int:
        """The token id that stands for one visual token in a prompt."""
        return int(self.model.config.image_token_id)

    @property
    @abstractmethod
    def image_token(self) -> str:
        """The text that stands for one visual token in a prompt."""

    @property
    def image_slot(self) -> str:
        """What a chat template writes for a picture; `ImageInputs.texts` take its place."""
        return self.image_token

    @abstractmethod
    def prepare_images(self, images: Sequence[Image]) -> ImageInputs:
        """Turn pictures into tensors for the vision tower."""

    @abstractmethod
    def image_embeds(self, pixels: Pixels) -> Float[Tensor, "patches hidden"]:
        """Input-level image embeddings of all images, one after the other."""

    def image_features(self, pixels: Pixels) -> Embedded:
        """All that the vision tower says of the images, one after the other."""
        return Embedded(self.image_embeds(pixels))

    def mrope_positions(self, batch: Batch) -> Int[Tensor, "*axes batch seq"]:
        """Position ids of a prompt as the family's own forward computes them; by default flat."""
        return self.positions(batch, "flat")

    def own_inputs(self, batch: Batch) -> dict[str, Any]:
        """What the family's own forward takes for prompts, to compare with."""
        mask = batch.attention_mask.long()
        return {"input_ids": batch.input_ids, "attention_mask": mask, **batch.pixels}

    @contextmanager
    def eager(self) -> Iterator[None]:
        """Let the decoder attend as transformers' eager attention does, to compare with."""
        self._set_attention("eager")
        try:
            yield
        finally:
            self._set_attention(ATTENTION_NAME)

    def _set_attention(self, name: str) -> None:
        """Select the attention function of the decoder, leaving the vision tower alone."""
        self.model.set_attn_implementation({"text_config": name})

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.model.device

    @property
    def text_config(self) -> Any:
        """The decoder's configuration."""
        return self.model.config.get_text_config()

    @property
    def n_layers(self) -> int:
        """Number of decoder layers."""
        return int(self.text_config.num_hidden_layers)

    @property
    def n_heads(self) -> int:
        """Number of attention heads of a layer."""
        return int(self.text_config.num_attention_heads)

    def embed_tokens(self, ids: Int[Tensor, "..."]) -> Float[Tensor, "... hidden"]:
        """Embed token ids."""
        embeds: Tensor = self.model.get_input_embeddings()(ids)
        return embeds

    def merge(self, batch: Batch) -> Embedded:
        """Embed a prompt, images merged in: the only time a picture is looked at."""
        words = self.embed_tokens(batch.input_ids)
        if not batch.pixels:
            return Embedded(words)
        found = self.image_features(batch.pixels)
        where = (batch.input_ids == self.image_token_id)[..., None].expand_as(words)
        embeds = words.masked_scatter(where, found.embeds.to(words.dtype))
        if found.deep is None:
            return Embedded(embeds)
        none = torch.zeros_like(words)
        deep = [none.masked_scatter(where, level.to(words.dtype)) for level in found.deep]
        return Embedded(embeds, torch.stack(deep))

    def embed(self, batch: Batch) -> Float[Tensor, "batch seq hidden"]:
        """Input embeddings of a prompt, images merged in."""
        return self.merge(batch).embeds

    def positions(
        self, batch: Batch, scheme: Literal["flat", "mrope"]
    ) -> Int[Tensor, "batch seq"] | Int[Tensor, "axes batch seq"]:
        """Position ids of a prompt; padding takes none, so a padded prompt equals a bare one."""
        if scheme == "mrope":
            return self.mrope_positions(batch)
        return (batch.attention_mask.long().cumsum(-1) - 1).clamp(min=0)

    @property
    def window(self) -> int | None:
        """How many positions back its nearest-sighted layers see; None where all see everything."""
        return None

    def masks(
        self,
        mask: Bool[Tensor, "batch 1 queries keys"] | None,
        real: Bool[Tensor, "batch keys"],
        queries: int,
    ) -> Masks:
        """What the decoder takes for a mask: itself, unless layers differ in how far they see.

        Args:
            mask: who sees whom, were it not for the distance.
            real: false on padding, which distances do not count.
            queries: how many positions, the newest, attend.
        """
        return mask

    def new_cache(self) -> DynamicCache:
        """An empty cache; every layer keeps all positions, since masks say what is seen."""
        cache, layer = DynamicCache(), cast(Any, DynamicLayer)
        cache.layers = [layer() for _ in range(self.n_layers)]
        return cache

    def deep_inputs(self, deep: Float[Tensor, "layers batch queries hidden"]) -> dict[str, Any]:
        """Arguments by which the decoder takes `Embedded.deep`."""
        raise NotImplementedError(f"{type(self).__name__} adds nothing in later layers")

    def forward(
        self,
        embeds: Float[Tensor, "batch queries hidden"],
        positions: Int[Tensor, "*axes batch queries"],
        mask: Masks,
        cache: Cache,
        capture: Capture | None = None,
        deep: Float[Tensor, "layers batch queries hidden"] | None = None,
    ) -> Float[Tensor, "batch queries hidden"]:
        """Run the decoder on new positions only; `cache` grows in place.

        Args:
            embeds: what stands at the new positions.
            positions: their position ids.
            mask: what they see, as `masks` gives it.
            cache: keys and values of the positions before.
            capture: collects the newest position's attention.
            deep: what the first layers add there (`Embedded.deep`).

        Returns:
            Hidden states after the final norm.
        """
        output = self.decoder(
            inputs_embeds=embeds,
            position_ids=positions,
            attention_mask=mask,
            past_key_values=cache,
            use_cache=True,
            capture=capture,
            **({} if deep is None else self.deep_inputs(deep)),
        )
        hidden: Tensor = output.last_hidden_state
        return hidden

    def logits(self, hidden: Float[Tensor, "... hidden"]) -> Float[Tensor, "... vocab"]:
        """Next-token logits of hidden states that went through the final norm."""
        model: Any = self.model
        logits: Tensor = model.get_output_embeddings()(hidden)
        return logits

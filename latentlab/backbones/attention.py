"""The attention kernel of every backbone: SDPA, plus the last query's row where it is asked for.

IVT-LR needs the attention weights of one query, the newest position. Kernels that return weights
build the whole (query, key) matrix; here the output comes from SDPA and the single row is computed
beside it, so that capture costs one more query and no more memory than a row. Where a gradient with
respect to the weights is wanted they have to be part of the graph: `Patterns` asks for that.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

ATTENTION_NAME = "latentlab"


@dataclass
class Capture:
    """Collects the last query's attention row of the layers asked for, during one forward pass."""

    layers: Collection[int] | None = None
    """Layers to keep; None means all."""

    rows: dict[int, Float[Tensor, "batch heads keys"]] = field(default_factory=dict)
    """The captured rows by layer index; each sums to 1 over the keys."""

    _seen: tuple[Tensor, Tensor | None] | None = None

    def wants(self, layer: int) -> bool:
        """Whether this layer's row is kept."""
        return self.layers is None or layer in self.layers

    def newest(
        self, mask: Bool[Tensor, "batch 1 queries keys"] | None
    ) -> Bool[Tensor, "batch 1 1 keys"] | None:
        """What the last query sees, looked up once a pass; None where it sees all."""
        if mask is None:
            return None
        if self._seen is None or self._seen[0] is not mask:
            last = mask[:, :, -1:]
            self._seen = mask, None if bool(last.all()) else last
        return self._seen[1]

    def stacked(self) -> Float[Tensor, "layers batch heads keys"]:
        """Rows of the kept layers in order of layer index."""
        return torch.stack([self.rows[layer] for layer in sorted(self.rows)])


@dataclass
class Patterns:
    """Collects the whole pattern of every layer, as tensors that gradients can be taken to."""

    weights: dict[int, Float[Tensor, "batch heads queries keys"]] = field(default_factory=dict)
    """Attention of every query of one pass, by layer index."""


@torch.no_grad()
def last_row(
    query: Float[Tensor, "batch heads queries dim"],
    key: Float[Tensor, "batch kv_heads keys dim"],
    mask: Bool[Tensor, "batch 1 queries keys"] | None,
    scaling: float,
) -> Float[Tensor, "batch heads keys"]:
    """Attention weights of the last query over all keys: softmax(q k / sqrt(d)), float32."""
    batch, heads, _, dim = query.shape
    last = query[:, :, -1].reshape(batch * key.shape[1], -1, dim)
    # A bare product: all else takes longer to begin than a small model's layer to run.
    scores = torch.bmm(last, key.flatten(0, 1).transpose(1, 2)).view(batch, heads, -1)
    scores = scores.float().mul_(scaling)
    if mask is not None:
        scores.masked_fill_(~mask[:, :, -1], torch.finfo(scores.dtype).min)
    return scores.softmax(-1)


def attention(
    module: nn.Module,
    query: Float[Tensor, "batch heads queries dim"],
    key: Float[Tensor, "batch kv_heads keys dim"],
    value: Float[Tensor, "batch kv_heads keys dim"],
    attention_mask: Bool[Tensor, "batch 1 queries keys"] | None,
    scaling: float,
    dropout: float = 0.0,
    capture: Capture | Patterns | None = None,
    **_: object,
) -> tuple[Float[Tensor, "batch queries heads dim"], None]:
    """Attend with SDPA; a mask of None means plain causal attention over the newest positions."""
    layer = getattr(module, "layer_idx", None)
    if isinstance(capture, Patterns):
        assert isinstance(layer, int), "patterns are kept by layer"
        weights = pattern(query, key, attention_mask, scaling)
        if not weights.requires_grad:  # frozen weights give a graph that begins here
            weights.requires_grad_()
        capture.weights[layer] = weights
        mixed = weights.to(value.dtype) @ for_heads(value, query.shape[1])
        return mixed.transpose(1, 2).contiguous(), None
    output = scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=attention_mask,
        dropout_p=dropout,
        is_causal=attention_mask is None and query.shape[2] > 1,
        scale=scaling,
        enable_gqa=query.shape[1] != key.shape[1],
    )
    if capture is not None and isinstance(layer, int) and capture.wants(layer):
        capture.rows[layer] = last_row(query, key, capture.newest(attention_mask), scaling)
    return output.transpose(1, 2).contiguous(), None


def pattern(
    query: Float[Tensor, "batch heads queries dim"],
    key: Float[Tensor, "batch kv_heads keys dim"],
    mask: Bool[Tensor, "batch 1 queries keys"] | None,
    scaling: float,
) -> Float[Tensor, "batch heads queries keys"]:
    """Attention weights of all queries, in float32 at least."""
    scores = query @ for_heads(key, query.shape[1]).transpose(-1, -2)
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32)) * scaling
    if mask is None:
        queries, keys = scores.shape[-2:]
        causal = torch.ones(queries, keys, dtype=torch.bool, device=scores.device)
        mask = causal.tril(keys - queries)
    return scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(-1)


def for_heads(
    shared: Float[Tensor, "batch kv_heads keys dim"], heads: int
) -> Float[Tensor, "batch heads keys dim"]:
    """Keys or values, once for each head that uses them."""
    return shared.repeat_interleave(heads // shared.shape[1], dim=1)


@contextmanager
def differentiable(decoder: nn.Module) -> Iterator[Patterns]:
    """Make a decoder's attention weights part of the graph.

    Args:
        decoder: `Backbone.decoder`.

    Yields:
        The weights of the newest pass; each pass overwrites those of the one before.
    """
    patterns = Patterns()

    def keep(module: nn.Module, args: Any, inputs: dict[str, Any]) -> Any:
        return args, {**inputs, "capture": patterns}

    handle = decoder.register_forward_pre_hook(keep, with_kwargs=True)
    try:
        with torch.enable_grad():
            yield patterns
    finally:
        handle.remove()


AttentionInterface.register(ATTENTION_NAME, attention)

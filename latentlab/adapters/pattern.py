"""The engine's attention kernel with the weights of every query beside it, for TransformerLens."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from transformers import AttentionInterface

from latentlab.backbones import Capture
from latentlab.backbones.attention import attention, for_heads, pattern

PATTERN_NAME = "latentlab_pattern"


def attention_with_pattern(
    module: nn.Module,
    query: Float[Tensor, "batch heads queries dim"],
    key: Float[Tensor, "batch kv_heads keys dim"],
    value: Float[Tensor, "batch kv_heads keys dim"],
    attention_mask: Bool[Tensor, "batch 1 queries keys"] | None,
    scaling: float,
    dropout: float = 0.0,
    capture: Capture | None = None,
    pattern_fn: Callable[[Tensor], Tensor] | None = None,
    **_: object,
) -> tuple[Float[Tensor, "batch queries heads dim"], Float[Tensor, "batch heads queries keys"]]:
    """Attend as the engine does, and give the pattern: the weights of every query.

    Args:
        module: the attention module.
        query: queries of the new positions.
        key: keys of all positions.
        value: values of all positions.
        attention_mask: true where a query may attend; None for plain causality.
        scaling: what scores are multiplied with.
        dropout: chance of leaving a weight out.
        capture: collects the last row, untouched by `pattern_fn`.
        pattern_fn: sees the pattern, and may return another to be used.
    """
    output, _none = attention(module, query, key, value, attention_mask, scaling, dropout, capture)
    weights = pattern(query, key, attention_mask, scaling)
    if pattern_fn is None:
        return output, weights
    edited = pattern_fn(weights.clone())
    if not torch.equal(edited, weights):
        output = (edited.to(value) @ for_heads(value, query.shape[1])).transpose(1, 2).contiguous()
    return output, edited


AttentionInterface.register(PATTERN_NAME, attention_with_pattern)

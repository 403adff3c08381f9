"""The engine's attention kernel with the weights of every query beside it, for TransformerLens."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from transformers import AttentionInterface

from latentlab.backbones import Capture
from latentlab.backbones.attention import attention

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
    groups = query.shape[1] // key.shape[1]
    keys, values = (x.repeat_interleave(groups, dim=1) for x in (key, value))
    scores = (query @ keys.transpose(-1, -2)).float() * scaling
    if attention_mask is None:
        shape = scores.shape[-2:]
        attention_mask = torch.ones(shape, dtype=torch.bool, device=scores.device)
        attention_mask = attention_mask.tril(shape[1] - shape[0])
    scores = scores.masked_fill(~attention_mask, torch.finfo(scores.dtype).min)
    pattern = scores.softmax(-1)
    if pattern_fn is None:
        return output, pattern
    edited = pattern_fn(pattern.clone())
    if not torch.equal(edited, pattern):
        output = (edited.to(values) @ values).transpose(1, 2).contiguous()
    return output, edited


AttentionInterface.register(PATTERN_NAME, attention_with_pattern)

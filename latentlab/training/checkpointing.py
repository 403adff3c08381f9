"""Gradient checkpointing of a sequence that grows: layers compute again what gradients need.

transformers takes the cache away from a layer that it checkpoints, because computing the layer
again would append to the cache again. Here a layer that runs again is given the cache as it was
when the layer ran first, so passes can follow one another and gradients go through all of them.
Caches grow by concatenation, never in place, hence a shallow copy remembers what was there.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint
from transformers import Cache

from latentlab.backbones import Backbone


@contextmanager
def checkpointed(backbone: Backbone) -> Iterator[None]:
    """Let the decoder's layers keep their inputs alone, as long as the context is open.

    Losses and gradients are what they are without, up to the order of sums; a pass that takes no
    gradient runs as ever. The vision tower is left alone: where it is frozen, as in the published
    training, it keeps nothing anyway.
    """
    for number, layer in enumerate(backbone.layers):
        layer.forward = _again(layer.forward, number)
    try:
        yield
    finally:
        for layer in backbone.layers:
            del layer.forward  # the class's own comes back


def _again(forward: Callable[..., Tensor], number: int) -> Callable[..., Tensor]:
    """The forward of layer `number`, made to run again in backward."""

    def run(hidden: Tensor, *, past_key_values: Cache, **kwargs: Any) -> Tensor:
        if not torch.is_grad_enabled():
            return forward(hidden, past_key_values=past_key_values, **kwargs)
        before = copy.copy(past_key_values.layers[number])

        def pass_(hidden: Tensor) -> tuple[Tensor, Any]:
            cache = copy.copy(past_key_values)
            cache.layers = list(cache.layers)
            cache.layers[number] = copy.copy(before)
            output = forward(hidden, past_key_values=cache, **kwargs)
            return output, cache.layers[number]

        output: Tensor
        output, past_key_values.layers[number] = checkpoint(pass_, hidden, use_reentrant=False)
        return output

    return run

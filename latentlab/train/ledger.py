"""What one step of training keeps and computes, counted while it runs.

The step is the real one (passes of transformers' own layers, autograd, gradient checkpointing), on
tensors that may have sizes and no content. So nothing is put in a formula that could be forgotten
in it; `tests/train/test_dry_run.py` holds the count to a training that really ran.
"""

import weakref
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode
from transformers import AttentionInterface, DynamicCache

from latentlab.backbones import Backbone
from latentlab.reasoning.plan import LatentPlan
from latentlab.training.checkpointing import checkpointed

FUSED = "latentlab-fused"


@dataclass(frozen=True)
class Step:
    """Forward and backward of what one device computes at a time."""

    batch: int
    """Examples."""

    widths: tuple[int, ...]
    """Positions of each pass: the prompt, each latent step, the text."""

    checkpointing: bool
    """Whether layers are computed again in backward."""


class Ledger(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the memory of all tensors that are made while it is open and still live."""

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.bytes = 0
        self.peak = 0
        self._live: set[int] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run an operation and enter what it made."""
        made = func(*args, **(kwargs or {}))
        given = {tensor.untyped_storage()._cdata for tensor in _tensors(args)}
        for tensor in _tensors(made):
            storage = tensor.untyped_storage()
            if storage._cdata not in self._live | given:
                self._live.add(storage._cdata)
                self.bytes += storage.nbytes()
                self.peak = max(self.peak, self.bytes)
                weakref.finalize(storage, self._strike, storage._cdata, storage.nbytes())
        return made

    def _strike(self, key: int, size: int) -> None:
        self._live.discard(key)
        self.bytes -= size


def fused_attention(
    module: nn.Module,
    query: Float[Tensor, "batch heads queries dim"],
    key: Float[Tensor, "batch kv_heads keys dim"],
    value: Float[Tensor, "batch kv_heads keys dim"],
    attention_mask: None,
    scaling: float,
    **_: object,
) -> tuple[Float[Tensor, "batch queries heads dim"], None]:
    """Attend with a GPU's fused kernel, which keeps no matrix of weights.

    A device without kernels would be given one that does.
    """
    kernel = torch.ops.aten._scaled_dot_product_flash_attention
    output: Tensor = kernel(query, key, value, 0.0, query.shape[2] > 1, False, scale=scaling)[0]
    return output.transpose(1, 2).contiguous(), None


AttentionInterface.register(FUSED, fused_attention)


def peak_bytes(backbone: Backbone, plan: LatentPlan, step: Step) -> int:
    """Most memory of a step at a time, beside weights, their gradients and optimizer states."""
    for parameter in backbone.model.parameters():
        if parameter.requires_grad:
            parameter.grad = torch.zeros_like(parameter)  # there before the ledger is opened
    ledger = Ledger()
    with ledger:
        for _ in run(backbone, plan, step):
            pass
    return ledger.peak


def operations(backbone: Backbone, plan: LatentPlan, step: Step) -> list[int]:
    """Operations of each forward pass of a step, then those of backward.

    A multiplication and an addition are two. What is computed again counts to backward.
    """
    counter: Any = FlopCounterMode(display=False)
    with counter:
        sums = [counter.get_total_flops() for _ in run(backbone, plan, step)]
    return [after - before for before, after in pairwise([0, *sums])]


def run(backbone: Backbone, plan: LatentPlan, step: Step) -> Iterator[None]:
    """Run one step as the engine would; stops after each pass, backward being the last."""
    backbone._set_attention(FUSED)
    newest: Tensor | None = None
    cache = DynamicCache(config=backbone.text_config)
    last = len(step.widths) - 1
    with checkpointed(backbone) if step.checkpointing else nullcontext():
        for number, width in enumerate(step.widths):
            embeds = _empty(backbone, step.batch, width)
            if newest is not None and number < last and plan.gradient == "through":
                embeds = torch.cat([embeds[:, 1:], newest], dim=1)
            places = torch.zeros(step.batch, width, dtype=torch.long, device=backbone.device)
            hidden = backbone.forward(embeds, places, None, cache)
            if number == last:
                assert newest is not None, "a prompt comes before the text"
                loss = _loss(backbone, torch.cat([newest, hidden[:, :-1]], dim=1))
            newest = hidden[:, -1:]
            yield
        del cache, hidden, newest, embeds
        torch.autograd.backward(loss)
        yield


def _loss(backbone: Backbone, hidden: Tensor) -> Tensor:
    """The objective's loss at positions whose tokens do not matter."""
    logits = backbone.logits(hidden).flatten(0, 1)
    targets = torch.zeros(len(logits), dtype=torch.long, device=logits.device)
    return cross_entropy(logits.float(), targets)


def _empty(backbone: Backbone, batch: int, width: int) -> Tensor:
    size = (batch, width, backbone.text_config.hidden_size)
    return torch.empty(size, dtype=backbone.model.dtype, device=backbone.device)


def _tensors(value: object) -> Iterator[Tensor]:
    """The tensors of an operation's arguments or results.

    torch's own way through nested values leaves circles behind, which keep tensors for a while.
    """
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _tensors(each)

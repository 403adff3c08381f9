"""Matrix products of a model by the kernels that are fastest on the processor at hand.

PyTorch's wheels multiply single precision by MKL, which on AMD processors takes AVX2 kernels where
AVX-512 is there; oneDNN, which the same wheels hold, takes what there is: 110 giga operations a
second beside 240 (docs/scaling.md). So linear layers call oneDNN where nothing is to be
differentiated. Weights stay where they are, as they are; sums are added up in another order, so
that the last bits differ.
"""

from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

THERE = bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]
"""Whether this build of PyTorch holds oneDNN."""

_ONEDNN = torch.ops.mkldnn._linear_pointwise.default if THERE else None

Model = TypeVar("Model", bound=nn.Module)

FEW = 2**20
"""Multiplications below which starting the kernel takes longer than it saves."""


class Linear(nn.Linear):
    """A linear layer that is multiplied by oneDNN for inference in single precision on a CPU."""

    def forward(self, input: Float[Tensor, "*rows inputs"]) -> Float[Tensor, "*rows outputs"]:
        """Multiply by the weights and add the bias."""
        if input.numel() * self.out_features < FEW or not _applies(input):
            return super().forward(input)
        return _product(input, self.weight, self.bias)


class PatchEmbedding(nn.Conv3d):
    """A convolution that, where its kernel covers a whole input, is one matrix product."""

    def forward(
        self, input: Float[Tensor, "patches channels *size"]
    ) -> Float[Tensor, "patches outputs *places"]:
        """Embed every patch."""
        whole = tuple(input.shape[2:]) == self.kernel_size and not any(self.padding)
        if not (_applies(input) and whole and self.groups == 1):
            return super().forward(input)
        embedded = _product(input.flatten(1), self.weight.flatten(1), self.bias)
        return embedded[..., None, None, None]


def quickened(model: Model) -> Model:
    """Let the linear layers of a model, and what embeds its patches, be multiplied fast.

    Modules keep their parameters, names and place; only plain ones are changed.
    """
    fast: dict[type[nn.Module], type[nn.Module]] = {nn.Linear: Linear, nn.Conv3d: PatchEmbedding}
    for module in model.modules():
        if type(module) in fast:
            module.__class__ = fast[type(module)]
    return model


def slowed(model: Model) -> Model:
    """Undo `quickened`, for what looks for plain layers by their type."""
    plain: dict[type[nn.Module], type[nn.Module]] = {Linear: nn.Linear, PatchEmbedding: nn.Conv3d}
    for module in model.modules():
        if type(module) in plain:
            module.__class__ = plain[type(module)]
    return model


def _applies(input: Tensor) -> bool:
    return (
        not torch.is_grad_enabled()
        and input.dtype == torch.float32
        and input.device.type == "cpu"
        and THERE
    )


def _product(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    assert _ONEDNN is not None
    product: Tensor = _ONEDNN(input, weight, bias, "none", [], "")
    return product

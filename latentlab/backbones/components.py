"""What can be read and patched in a decoder layer, by TransformerLens's names."""

from typing import Any, Literal

from torch import nn

Component = Literal["resid_post", "attn_out", "mlp_out", "resid_pre", "z"]
"""The residual stream after the layer, what attention and the MLP add to it, the residual stream
before the layer, and what the heads say before `W_O` mixes them (side by side, one head after the
other)."""

INPUTS: tuple[Component, ...] = ("resid_pre", "z")
"""Components that go into their module; the others come out of it."""


def component_of(layer: Any, name: Component) -> nn.Module:
    """The module of a pre-norm layer that a component comes out of, or goes into (`INPUTS`).

    The first entry of its output, or the output itself where that is no tuple, is (batch, queries,
    hidden); so is its first positional argument, for `z` (batch, queries, heads x dim).
    """
    modules = {
        "resid_post": layer,
        "attn_out": layer.self_attn,
        "mlp_out": layer.mlp,
        "resid_pre": layer,
        "z": layer.self_attn.o_proj,
    }
    module: nn.Module = modules[name]
    return module

"""One pass of the engine: new positions run under what they may see, and the sequence grows.

What acts inside the model while a rollout runs is put around passes, and attention rows are those
of what is then still seen.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Protocol

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latentlab.backbones import Backbone, Capture
from latentlab.reasoning.trajectory import Trajectory
from latentlab.reasoning.visibility import Kind, attention_mask

Around = Callable[[Trajectory, Int[Tensor, "batch queries"]], AbstractContextManager[None]]
"""Takes the state and the kinds of the new positions; what it gives is open during their pass."""


class Engine(Protocol):
    """What a pass takes of the rollout that it belongs to."""

    backbone: Backbone
    """The model."""

    table: Bool[Tensor, "query key"]
    """Which kinds may see which (`visibility.visibility_table`)."""

    around: list[Around]
    """What is put around every pass."""

    examples: tuple[str, ...]
    """Whose sequences are run."""


def advance(
    engine: Engine,
    state: Trajectory,
    embeds: Float[Tensor, "batch queries hidden"],
    kinds: Int[Tensor, "batch queries"],
    positions: Int[Tensor, "*axes batch queries"],
    keep_row: bool = True,
    deep: Float[Tensor, "layers batch queries hidden"] | None = None,
    among: Bool[Tensor, "queries queries"] | None = None,
) -> Float[Tensor, "batch queries hidden"]:
    """Run new positions and let the state grow by them.

    Args:
        engine: the rollout.
        state: the sequence, which grows.
        embeds: what stands at the new positions.
        kinds: the `Kind` of each.
        positions: their position ids.
        keep_row: whether the attention of the newest position is captured.
        deep: what the first layers add there (`Embedded.deep`).
        among: which of the new positions may see which, where causality alone does not say it: the
            branches of a tree do not see each other.

    Returns:
        Hidden states of the new positions, after the final norm.
    """
    engine.examples = tuple(state.batch.examples)
    with ExitStack() as stack:
        for around in engine.around:
            stack.enter_context(around(state, kinds))
        state.kinds = torch.cat([state.kinds, kinds], dim=1)
        backbone, kinds = engine.backbone, state.kinds
        mask = attention_mask(kinds, embeds.shape[1], engine.table, backbone.both_ways)
        if among is not None and mask is not None:
            past = kinds.shape[1] - embeds.shape[1]
            mask = mask & torch.nn.functional.pad(among, (past, 0), value=True)
        masks = backbone.masks(mask, kinds != Kind.PAD, embeds.shape[1])
        capture = Capture(state.layers) if keep_row and state.layers else None
        hidden = backbone.forward(embeds, positions, masks, state.cache, capture, deep)
    state.hidden = hidden[:, -1]
    state.row = capture.stacked() if capture is not None else None
    return hidden


def newest(
    hidden: Float[Tensor, "batch tokens+1 hidden"], real: Bool[Tensor, "batch tokens"]
) -> Float[Tensor, "batch tokens+1 hidden"]:
    """What stands newest in each row after so many tokens: padding leaves what was before it.

    Args:
        hidden: hidden states before the tokens and at each of them.
        real: false on padding.
    """
    if bool(real.all()):
        return hidden
    place = torch.arange(1, hidden.shape[1], device=real.device)
    last = (place * real).cummax(-1).values
    last = torch.cat([torch.zeros_like(last[:, :1]), last], dim=1)
    return hidden.gather(1, last[..., None].expand_as(hidden))

"""A finished rollout as one sequence, for tools that know forward passes and no rollouts.

A rollout feeds its model piece by piece: the prompt, the slots of each latent step, text. What was
fed is noted while it runs, so that interventions and whatever a plan appends are in it. One pass
over the whole (`Unrolled.forward`) gives the states that the rollout gave, because every position
sees what it saw then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import DynamicCache

from latentlab.backbones import Backbone, Batch, Capture
from latentlab.reasoning.decode import append_text
from latentlab.reasoning.interventions import Intervention
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.trajectory import Trajectory
from latentlab.reasoning.visibility import Kind, attention_mask


@dataclass(frozen=True)
class Unrolled:
    """All positions of a rollout, in the order they were appended."""

    embeds: Float[Tensor, "batch seq hidden"]
    """What was fed: prompts with their images merged in, latents, text."""

    positions: Int[Tensor, "*axes batch seq"]
    """Position ids; with three axes where the prompt has them (M-RoPE)."""

    kinds: Int[Tensor, "batch seq"]
    """The `Kind` of every position."""

    pass_index: Int[Tensor, " seq"]
    """When each position was fed: 0 prompt, t latent step t, steps + 1 the text after them."""

    mask: Bool[Tensor, "batch 1 seq seq"] | None
    """Who sees whom; None says no more than causality."""

    def newest(self, pass_index: int) -> int | None:
        """Index of the last position of a step, or None where it appended nothing."""
        where = (self.pass_index == pass_index).nonzero()
        return int(where[-1]) if len(where) else None

    def slots(self, pass_index: int, kind: Kind) -> list[int]:
        """Indices of a step's slots of one kind, padding of single examples among them."""
        here = (self.pass_index == pass_index) & (self.kinds == kind).any(0)
        return [int(i) for i in here.nonzero()[:, 0]]

    def forward(
        self, backbone: Backbone, capture: Capture | None = None
    ) -> tuple[Float[Tensor, "batch seq hidden"], DynamicCache]:
        """Run the whole sequence in one pass.

        Returns:
            Hidden states after the final norm, and the keys and values of all positions.
        """
        cache = DynamicCache(config=backbone.text_config)
        hidden = backbone.forward(self.embeds, self.positions, self.mask, cache, capture)
        return hidden, cache


@torch.no_grad()
def unroll(
    rollout: Rollout,
    batch: Batch,
    text: Sequence[int] = (),
    interventions: Sequence[Intervention] = (),
) -> tuple[Trajectory, Unrolled]:
    """Run a rollout and keep the sequence that it made.

    Args:
        rollout: the engine.
        batch: the prompts.
        text: token ids to put after the latent steps of every example, such as the answer marker.
        interventions: what to do to each step's latent, in order.

    Returns:
        The state after the text, and the sequence.
    """
    fed: list[tuple[Tensor, Tensor, int]] = []

    def note(module: nn.Module, args: Any, inputs: dict[str, Any]) -> None:
        if rollout.pass_index >= 0:  # below is what was only tried
            fed.append((inputs["inputs_embeds"], inputs["position_ids"], rollout.pass_index))

    handle = rollout.backbone.decoder.register_forward_pre_hook(note, with_kwargs=True)
    try:
        state = rollout(batch, interventions)
        append_text(rollout, state, text)
    finally:
        handle.remove()
    axes = max(positions.ndim for _, positions, _ in fed)
    positions = [p if p.ndim == axes else p.expand(3, *p.shape) for _, p, _ in fed]
    passes = [torch.full(embeds.shape[1:2], pass_index) for embeds, _, pass_index in fed]
    unrolled = Unrolled(
        embeds=torch.cat([embeds for embeds, _, _ in fed], dim=1),
        positions=torch.cat(positions, dim=-1),
        kinds=state.kinds,
        pass_index=torch.cat(passes).to(state.kinds.device),
        mask=attention_mask(state.kinds, state.kinds.shape[1], rollout.table),
    )
    return state, unrolled

"""The first pass of a rollout: prompts, with their images merged in, run once."""

from collections.abc import Sequence
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.backbones import Batch
from latentlab.backbones.inputs import Embedded
from latentlab.reasoning.interventions import PromptReplace
from latentlab.reasoning.passes import Engine, advance
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.sources import Context
from latentlab.reasoning.trajectory import Patches, Trajectory
from latentlab.reasoning.visibility import Kind


class Reader(Engine, Protocol):
    """What reading a prompt takes of the engine that runs it."""

    plan: LatentPlan
    """How the model reasons."""

    seed: int
    """Seed of what edits draw."""

    capture_layers: tuple[int, ...]
    """Layers whose attention is kept."""

    pass_index: int
    """Which pass is running."""

    @property
    def placeholder(self) -> Float[Tensor, "1 hidden"] | None:
        """Embedding of the placeholder token, where there is one."""


def begin(
    reader: Reader,
    batch: Batch,
    edits: Sequence[PromptReplace] = (),
    merged: Embedded | None = None,
) -> tuple[Trajectory, Float[Tensor, "batch seq hidden"]]:
    """Run prompts; see `Rollout.prefill`.

    Returns:
        The state after the prompts, and the hidden states of all their positions.
    """
    plan, backbone = reader.plan, reader.backbone
    is_image = (batch.input_ids == backbone.image_token_id) & batch.attention_mask
    merged = backbone.merge(batch) if merged is None else merged
    embeds, deep = merged.embeds, merged.deep
    patches = Patches.of(embeds, is_image)
    if edits:
        context = Context(batch.examples, reader.placeholder, reader.seed)
        for edit in edits:
            embeds = edit.edit_prompt(embeds, batch.attention_mask, is_image, context)
    if deep is not None and edits:
        # What is put over a patch is all that its position holds: nothing more is added to it.
        deep = deep * (embeds == merged.embeds).all(-1, keepdim=True)
    kinds = torch.where(is_image, int(Kind.IMAGE), int(Kind.PROMPT))
    kinds = kinds.masked_fill(~batch.attention_mask, int(Kind.PAD))
    positions = backbone.positions(batch, plan.positions)
    last = positions.amax(dim=-1)
    state = Trajectory(
        batch=batch,
        plan=plan,
        layers=plan.captured(reader.capture_layers, backbone.n_layers),
        cache=backbone.new_cache(),
        kinds=kinds[:, :0],
        next_position=(last.amax(0) if last.ndim == 2 else last) + 1,
        hidden=embeds[:, -1],
        row=None,
        patches=patches,
        available=patches.exists,
        deep=deep,
    )
    reader.pass_index = 0
    hidden = advance(reader, state, embeds, kinds, positions, deep=deep)
    return state, hidden


def ends_in_word(prefix: Trajectory) -> bool:
    """Whether prompts end in a word of theirs, and not in an image."""
    return bool((prefix.kinds[:, -1] == Kind.PROMPT).all())


@torch.no_grad()
def read_end(reader: Reader, prefix: Trajectory) -> Trajectory:
    """Read the last word of prompts once more, with whatever acts inside the model by now.

    Nothing before it can depend on what is done there. The numbers are those of a whole pass up to
    rounding.

    Args:
        reader: the engine.
        prefix: what `begin` left; it `ends_in_word`, and stays as it was.
    """
    state = prefix.fork()
    state.cache.crop(-1)
    kinds, state.kinds = state.kinds[:, -1:], state.kinds[:, :-1]
    embeds = reader.backbone.embed_tokens(state.batch.input_ids[:, -1:])
    reader.pass_index = 0
    advance(reader, state, embeds, kinds, state.next_position[:, None] - 1)
    return state

"""What a rollout leaves behind: the latents of each step and the state the sequence is in.

A `Latent` is one step's content, the thing interventions edit. A `Trajectory` is a rollout's record
and all that is needed to go on from where it stands: it can be forked, so that one prefix serves
any number of interventions.
"""

import copy
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformers import DynamicCache

from latentlab.backbones import Batch
from latentlab.errors import UserError
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.said import Words


@dataclass(frozen=True)
class Latent:
    """What one latent step appends, for every example of a batch."""

    text: Float[Tensor, "batch hidden"] | None
    """The latent text, or None where the step appends none."""

    vision: Float[Tensor, "batch k hidden"] | None
    """The re-inserted image embeddings, or None."""

    picks: Int[Tensor, "batch k"] | None = None
    """Where in each image the vectors come from; -1 for a slot that is padding."""

    closed: bool = False
    """Whether the step takes only as many positions as it has slots, whatever its plan says."""

    taken: Bool[Tensor, " batch"] | None = None
    """Which examples take the step, in a block of latents that they open or end themselves; None
    means all. Whatever the others hold is never seen: it is the state in which their block ended.
    """

    def replace(self, **changes: Tensor | bool | None) -> "Latent":
        """Return a copy with something changed."""
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Patches:
    """The image patches a rollout may re-insert, left-aligned to the largest image of the batch."""

    embeds: Float[Tensor, "batch patches hidden"]
    """Input-level image embeddings; zero beyond an image's own patches."""

    index: Int[Tensor, "batch patches"]
    """Where each patch stands in the sequence; 0 beyond an image's own patches."""

    exists: Bool[Tensor, "batch patches"]
    """False beyond an image's own patches."""

    @cached_property
    def count(self) -> Int[Tensor, " batch"]:
        """Number of patches of each image."""
        return self.exists.sum(-1)

    def gather(self, picks: Int[Tensor, "batch k"]) -> Float[Tensor, "batch k hidden"]:
        """Embeddings of the picked patches (padding picks give the first patch)."""
        index = picks.clamp(min=0)[..., None].expand(-1, -1, self.embeds.shape[-1])
        return self.embeds.gather(1, index)

    @classmethod
    def of(
        cls, embeds: Float[Tensor, "batch seq hidden"], where: Bool[Tensor, "batch seq"]
    ) -> "Patches":
        """Collect the image positions `where` of an embedded prompt."""
        width = int(where.sum(-1).max())
        # A stable sort brings every row's image positions to the front, in reading order.
        index = where.int().sort(dim=-1, descending=True, stable=True).indices[:, :width]
        exists = where.gather(1, index)
        vectors = embeds.gather(1, index[..., None].expand(-1, -1, embeds.shape[-1]))
        return cls(vectors * exists[..., None], index * exists, exists)


@dataclass
class Trajectory:
    """A sequence that can grow: its cache, its newest hidden state, and what it went through."""

    batch: Batch
    """The prompts it began with."""

    plan: LatentPlan
    """The plan under which the prompts were run."""

    layers: tuple[int, ...]
    """Layers whose attention is captured, in order."""

    cache: DynamicCache
    """Keys and values of all positions so far."""

    kinds: Int[Tensor, "batch seq"]
    """The `Kind` of every position so far."""

    next_position: Int[Tensor, " batch"]
    """Position id the next token takes."""

    hidden: Float[Tensor, "batch hidden"]
    """Hidden state of the newest position, after the final norm."""

    row: Float[Tensor, "layers batch heads keys"] | None
    """Attention of the newest position in `layers`; None without layers, and after text."""

    patches: Patches
    """What may be re-inserted."""

    available: Bool[Tensor, "batch patches"]
    """Patches that no step has used yet."""

    deep: Float[Tensor, "layers batch prompt hidden"] | None = None
    """What the first layers added at the prompt's image positions (`Embedded.deep`)."""

    latents: list[Latent] = field(default_factory=list)
    """The steps so far, as appended (after interventions)."""

    rows: list[Float[Tensor, "layers batch heads keys"]] = field(default_factory=list)
    """The captured row that each step's latent was read off, one a step."""

    words: list[Words] = field(default_factory=list)
    """What the steps said, one a step; empty unless the plan writes its steps."""

    markers: list[Words] = field(default_factory=list)
    """What the model wrote around its block of latents: the text that opens it, and its end."""

    inside: Bool[Tensor, " batch"] | None = None
    """Which examples are in a block that they open or end themselves; None where a plan has none.
    """

    def attention(self, step: int, layer: int) -> Float[Tensor, "batch heads keys"]:
        """Attention of the position that a step begins from, whose row picks the step's patches.

        It is the last position of the prompt for step 1 and the newest of step t - 1 for step t, so
        what is done to the latents of a step shows in the attention of the next one.

        Args:
            step: the step, counted from 1.
            layer: the decoder layer, counted from 0.

        Raises:
            UserError: there was no such step, or the layer was not captured.
        """
        if not 1 <= step <= len(self.rows):
            raise UserError(f"there is no step {step}: {len(self.rows)} were captured")
        if layer not in self.layers:
            known = ", ".join(map(str, self.layers)) or "none"
            raise UserError(f"the attention of layer {layer} was not captured; captured: {known}")
        return self.rows[step - 1][self.layers.index(layer)]

    def fork(self) -> "Trajectory":
        """Return an independent state; tensors are shared, since none is written in place."""
        cache = copy.copy(self.cache)
        cache.layers = [copy.copy(layer) for layer in self.cache.layers]
        return dataclasses.replace(
            self,
            cache=cache,
            latents=list(self.latents),
            rows=list(self.rows),
            words=list(self.words),
            markers=list(self.markers),
        )

    def repeat(self, times: int) -> "Trajectory":
        """Return a fork to append text to, in which every example stands `times` times in a row."""
        fork = self.fork()
        fork.cache.batch_repeat_interleave(times)
        fork.kinds = fork.kinds.repeat_interleave(times, 0)
        fork.next_position = fork.next_position.repeat_interleave(times, 0)
        fork.hidden = fork.hidden.repeat_interleave(times, 0)
        return fork

    def skip(self, positions: Sequence[int]) -> "Trajectory":
        """Return a fork that goes on as many position ids further on, one number an example."""
        fork = self.fork()
        fork.next_position = self.next_position + self.next_position.new_tensor(positions)
        return fork

    def check_finite(self) -> None:
        """Refuse a rollout that has run into values that are no numbers.

        Raises:
            UserError: the newest hidden state of an example is not finite.
        """
        finite = self.hidden.isfinite().all(-1).tolist()
        if not all(finite):
            raise UserError(
                f"{self.batch.examples[finite.index(False)]}: the hidden state after "
                f"{len(self.latents)} latent steps is not a number; check the weights and their "
                "precision"
            )

    @property
    def undivided(self) -> bool:
        """Whether all examples are bound to take the next step."""
        return not self.words and self.inside is None

    @property
    def going_on(self) -> Bool[Tensor, " batch"]:
        """Which examples take the next step: all, save those that have gone on to their answer."""
        if self.words:
            return self.words[-1].ended
        if self.inside is not None:
            return self.inside
        return torch.ones_like(self.next_position, dtype=torch.bool)

    @property
    def steps_taken(self) -> list[int]:
        """Latent steps of each example; none where steps are written in words."""
        taken = [0] * len(self.batch.examples)
        for latent in () if self.words else self.latents:
            who = [True] * len(taken) if latent.taken is None else latent.taken.tolist()
            taken = [count + one for count, one in zip(taken, who, strict=True)]
        return taken

    @property
    def written(self) -> list[list[int]]:
        """Token ids that the model wrote on the way: its steps, or around its block of latents."""
        said: list[list[int]] = [[] for _ in self.batch.examples]
        for words in (*self.words, *self.markers):
            for row, ids in zip(said, words.rows, strict=True):
                row += ids
        return said

    @property
    def picks(self) -> Int[Tensor, "batch steps k"] | None:
        """Picked patches of every step, or None where a step appended none or another number."""
        picks = [latent.picks for latent in self.latents]
        present = [p for p in picks if p is not None]
        if not present or len(present) < len(picks) or len({p.shape for p in present}) > 1:
            return None
        return torch.stack(present, dim=1)

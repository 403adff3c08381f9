"""Tokens that a batch says on the way to its answer, aligned so that all examples end together."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latentlab.reasoning.visibility import Kind


@dataclass(frozen=True)
class Words:
    """What one step says, for every example of a batch; left-padded, so that all end together."""

    ids: Int[Tensor, "batch tokens"]
    """Token ids."""

    kinds: Int[Tensor, "batch tokens"]
    """RATIONALE, or PAD before the first token of an example."""

    ended: Bool[Tensor, " batch"]
    """Whether the example finished the step. One that went on with its answer instead did not: it
    gets no patches, takes no further steps, and its captured rows mean nothing."""

    states: Float[Tensor, "batch tokens hidden"] | None = None
    """Hidden states that predict the tokens, those of the positions before; None until run."""

    @property
    def rows(self) -> list[list[int]]:
        """Token ids of each example, without padding."""
        pairs = zip(self.ids, self.kinds, strict=True)
        return [ids[kinds != Kind.PAD].tolist() for ids, kinds in pairs]

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]], ended: Sequence[bool]) -> "Words":
        """Pad token ids, one list for each example."""
        width = max(map(len, rows))
        ids = [[0] * (width - len(row)) + list(row) for row in rows]
        pads = [width - len(row) for row in rows]
        kinds = [[int(Kind.PAD)] * n + [int(Kind.RATIONALE)] * (width - n) for n in pads]
        return cls(
            torch.tensor(ids, dtype=torch.long),
            torch.tensor(kinds, dtype=torch.long),
            torch.tensor(list(ended)),
        )

    def to(self, device: torch.device) -> "Words":
        """Move every tensor to a device."""
        states = None if self.states is None else self.states.to(device)
        return Words(self.ids.to(device), self.kinds.to(device), self.ended.to(device), states)

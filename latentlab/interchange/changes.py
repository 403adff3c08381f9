"""What an edited picture changes in latents, and shams of the same size.

The mark that one hop reads is changed in the picture, and what that does to each latent is put into
the run on the picture as it was. An image embedding comes from a vision tower that sees the whole
picture, so every patch of the edited picture differs a little from what it was. The sharp exchange
takes the patch of the changed cell alone; exchanging every re-inserted patch stands beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latentlab.draws import example_generator
from latentlab.reasoning.bank import Bank
from latentlab.study.recorded import Recorded
from latentlab.vocabulary import LatentPart, ShamName

ChangedPatches = Literal["needed", "every"]
"""Which re-inserted patches come from the edited picture: that of the needed cell, or all."""


@dataclass(frozen=True, eq=False)
class Change:
    """Latents to put in, and how far they are from the undisturbed ones."""

    bank: Bank
    """The changed latents, under the names of the questions that receive them."""

    text: Float[Tensor, "examples steps"] | None
    """Norm of the change of each latent text."""

    vision: Float[Tensor, "examples steps"] | None
    """Norm of the change of all patches of each step."""

    defined: Bool[Tensor, " examples"]
    """Whether there is such a change of the re-inserted patches at all."""

    def norm(self, part: LatentPart, steps: Sequence[int]) -> Float[Tensor, " examples"]:
        """Norm of everything that is changed in a part at some steps, counted from 1."""
        of = {"latent_text": (self.text,), "latent_vision": (self.vision,)}
        found = of.get(part, (self.text, self.vision))
        known = [norms[:, [step - 1 for step in steps]] for norms in found if norms is not None]
        return _norms(torch.cat(known, dim=1))


@dataclass(frozen=True, eq=False)
class EditedRuns:
    """Undisturbed runs on a picture and on its two edits, in the same order of examples."""

    own: Recorded
    """The picture as it is."""

    edited: Recorded
    """With the needed mark changed."""

    off_walk: Recorded
    """With a mark changed that the walk never reads."""

    needed: Int[Tensor, " examples"]
    """The cell of the needed mark."""

    other: Int[Tensor, " examples"]
    """The cell of the mark off the walk."""

    donors: Int[Tensor, " examples"]
    """For each example another one, whose change is put in as a sham."""

    seed: int
    """Seed of the order of dimensions."""

    def real(self, patches: ChangedPatches) -> Change:
        """What the edited picture makes of each latent."""
        vision = None
        if (picks := self.own.picks) is not None:
            vision = self.edited.at(picks)
            if patches == "needed":
                vision = torch.where(self._at(self.needed)[..., None], vision, self.own.at(picks))
        return self._change(self.edited.bank.text, vision)

    def sham(self, name: ShamName) -> Change:
        """A change as large as the real one of the needed patch, and of each latent text."""
        own, new = self.own, self.edited
        texts, visions = own.bank.text, own.at(own.picks) if own.picks is not None else None
        if name == "self":
            return self._change(texts, visions)
        defined = None
        mark = _of_cell(new, self.needed) - _of_cell(own, self.needed)
        moved = None if texts is None or new.bank.text is None else new.bank.text - texts
        where = self._at(self.needed) if own.picks is not None else None
        if name == "permuted":
            order = self._orders(mark.shape[-1])
            vector = mark.gather(-1, order)
            turned = None if moved is None else moved.gather(-1, order[:, None].expand_as(moved))
        elif name == "other_question":
            vector = mark[self.donors]
            turned = None if moved is None else moved[self.donors]
        else:
            vector = _of_cell(self.off_walk, self.other) - _of_cell(own, self.other)
            far = self.off_walk.bank.text
            turned = None if texts is None or far is None else far - texts
            if where is not None:
                beside = where.any(-1, keepdim=True) & self._at(self.other)
                defined = beside.flatten(1).any(1) | ~where.flatten(1).any(1)
                where = beside
        text = None if texts is None or moved is None else texts + _sized(turned, moved)
        if visions is not None and where is not None:
            shift = _sized(vector, mark)[:, None, None]
            visions = torch.where(where[..., None], visions + shift, visions)
        return self._change(text, visions, defined)

    @property
    def needed_picked(self) -> Bool[Tensor, "examples steps"] | None:
        """Whether the needed cell is among the patches of each step."""
        return self._at(self.needed).any(-1) if self.own.picks is not None else None

    def _at(self, cells: Int[Tensor, " examples"]) -> Bool[Tensor, "examples steps k"]:
        """Which slots hold the patch of a cell."""
        assert self.own.picks is not None
        return self.own.picks == cells[:, None, None]

    def _orders(self, size: int) -> Int[Tensor, "examples size"]:
        """A random order of the dimensions for each example."""
        streams = (example_generator(e, self.seed, "permuted") for e in self.own.bank.examples)
        orders = torch.stack([torch.randperm(size, generator=stream) for stream in streams])
        return orders.to(self.needed.device)

    def _change(
        self,
        text: Float[Tensor, "examples steps hidden"] | None,
        vision: Float[Tensor, "examples steps k hidden"] | None,
        defined: Bool[Tensor, " examples"] | None = None,
    ) -> Change:
        """Measure a change; slots without patches keep what they hold."""
        own = self.own.bank
        vision = own.vision if vision is None else vision
        every = torch.ones(len(own.examples), dtype=torch.bool)
        return Change(
            Bank(own.examples, text, vision),
            _far(text, own.text),
            _far(vision, own.vision),
            every if defined is None else defined,
        )


def _of_cell(runs: Recorded, cells: Int[Tensor, " examples"]) -> Float[Tensor, "examples hidden"]:
    """The patch of one cell of each picture."""
    assert runs.patches is not None
    return runs.patches[torch.arange(len(cells)), cells]


def _far(new: Tensor | None, old: Tensor | None) -> Float[Tensor, "examples steps"] | None:
    """Norm of a change, over all that a step has of a part."""
    if new is None or old is None:
        return None
    return _norms((new - old).flatten(2))


def _sized(
    vectors: Float[Tensor, "*slots hidden"] | None, like: Float[Tensor, "*slots hidden"]
) -> Float[Tensor, "*slots hidden"]:
    """Vectors scaled to the norms of others; a vector of zeros stays one."""
    assert vectors is not None
    norms = _norms(vectors).clamp(min=torch.finfo(vectors.dtype).tiny)
    return vectors * (_norms(like) / norms)[..., None]


def _norms(vectors: Float[Tensor, "*slots hidden"]) -> Float[Tensor, "*slots"]:
    """The length of each vector."""
    return vectors.square().sum(-1).sqrt()

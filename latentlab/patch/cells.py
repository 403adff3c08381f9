"""Activation patching over a grid of layers and slots: which activations carry the answer?

An activation of one run is put into the other run of its pair, one cell of the grid at a time
(causal tracing, Meng et al. 2022, arXiv 2202.05262). Whatever comes after the patched pass is
computed anew, the later latents and their picks as well: the effect flows on. One control puts an
unrelated run's activations into the same cell, another patches as many random positions of the
prompt, and a sham puts all of a run's own activations back.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.backbones import Component
from latentlab.reasoner import Reasoner
from latentlab.reasoning.activations import Activations, Site, head_slice
from latentlab.reasoning.plan import LatentPlan
from latentlab.vocabulary import CONTROL, PATCH

UNRELATED = "unrelated"
"""Column `control` of rows that put in a third run's activations."""

FROM_UNRELATED = "from an unrelated question"
"""The same in words."""

RANDOM = "random"
"""Column `control` of rows that patch, or hide, as much of the prompt at random."""

SHAM = "sham"
"""Slot of the control that patches every slot with the run's own activations."""


@dataclass(frozen=True)
class Slot:
    """Positions of one pass that are patched together."""

    part: Literal["prompt", "latent_text", "latent_vision", "answer"]
    """What of the sequence they belong to."""

    pass_index: int
    """Which pass, see `Rollout.pass_index`."""

    positions: tuple[int, ...] = (-1,)
    """Where in it, counted from its end."""

    drawn: int = 0
    """How many positions of the prompt to draw for each example instead: a control."""

    @property
    def step(self) -> int | None:
        """The latent step, counted from 1; None elsewhere."""
        return self.pass_index if self.part.startswith("latent") else None

    @property
    def name(self) -> str:
        """What tables call it; made of the fields and never read."""
        if self.drawn == 1:
            return "random prompt position"
        if self.drawn:
            return f"{self.drawn} random prompt positions"
        if self.step is not None:
            return f"{self.part.removeprefix('latent_')} {self.step}"
        return "prompt end" if self.part == "prompt" else self.part


@dataclass(frozen=True)
class Cell:
    """One cell of the grid."""

    slot: Slot
    """Where in the sequence."""

    component: Component
    """What of the layer."""

    layer: int
    """In which layer."""

    head: int | None = None
    """Which head of component `z`; None means all."""

    def values(
        self, source: Activations, own: Activations, places: Sequence[Sequence[int]], n_heads: int
    ) -> dict[Site, Float[Tensor, "batch hidden"]]:
        """What to put where.

        Args:
            source: activations of the run that is patched in.
            own: those of the run that is patched.
            places: positions of each example's prompt, for controls.
            n_heads: heads of a layer.
        """
        drawn = [row[: self.slot.drawn] for row in places]
        positions = sorted({place for row in drawn for place in row}) or self.slot.positions
        values = {}
        for position in positions:
            site = Site(self.slot.pass_index, self.layer, self.component, position)
            new = source[site]
            if self.slot.drawn:
                # An example whose position was not drawn keeps its own, which changes nothing.
                chosen = torch.tensor([position in row for row in drawn], device=new.device)
                new = torch.where(chosen[:, None], new, own[site])
            part = head_slice(self.head, new, n_heads)
            values[replace(site, head=self.head)] = new[:, part]
        return values

    @property
    def columns(self) -> dict[str, Any]:
        """What rows say of the cell."""
        return {
            "kind": CONTROL if self.slot.drawn else PATCH,
            "component": self.component,
            "layer": self.layer,
            "layers": 1,
            "head": self.head,
            "slot": self.slot.name,
            "control_of": "",
            "part": self.slot.part,
            "step": self.slot.step,
            "n_positions": self.slot.drawn or len(self.slot.positions),
            "control": RANDOM if self.slot.drawn else "",
        }


def slots_of(plan: LatentPlan, marker: bool) -> list[Slot]:
    """Every slot that a plan has, in the order of the sequence, then the controls.

    The last position of the prompt, the latent text and the re-inserted patches of each step, and
    the position at which the answer is read. Steps that re-insert every patch have no slot for
    these: pictures differ in how many they are.

    Args:
        plan: says what a step appends.
        marker: whether there is an answer marker; without, the answer is read where the latent
            steps end.
    """
    slots = [Slot("prompt", 0)]
    k = plan.k if plan.select != "all" else 0
    text_first = plan.part_order == "text_vision"
    vision_from = 1 if text_first or not plan.text else 2
    for step in range(1, plan.steps + 1):
        text = Slot("latent_text", step, (-1 - (k if text_first else 0),))
        vision = Slot("latent_vision", step, tuple(-vision_from - i for i in range(k)))
        here = [*([text] if plan.text else []), *([vision] if k else [])]
        slots += here if text_first else here[::-1]
    if marker:
        slots.append(Slot("answer", plan.steps + 1))
    sizes = sorted({len(slot.positions) for slot in slots})
    return slots + [Slot("prompt", 0, (), drawn=n) for n in sizes]


def cells_of(reasoner: Reasoner, components: Sequence[Component], heads: bool) -> list[Cell]:
    """The grid: each component of each layer at each slot, and each head alone where asked for.

    The residual stream also has a row for what goes into the first layer: at a latent's slot that
    is the latent itself.
    """
    backbone = reasoner.backbone
    slots = slots_of(reasoner.plan, bool(reasoner.prompter.marker_ids))
    rows: list[tuple[Component, int, int | None]] = []
    for component in components:
        rows += [("resid_pre", 0, None)] if component == "resid_post" else []
        rows += [(component, layer, None) for layer in range(backbone.n_layers)]
    if heads:
        layers, n_heads = range(backbone.n_layers), backbone.n_heads
        rows += [("z", layer, head) for layer in layers for head in range(n_heads)]
    return [Cell(slot, *row) for row in rows for slot in slots]

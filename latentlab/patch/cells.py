"""Activation patching over a grid of layers and slots: which activations carry the answer?

An activation of one run is put into the other run of its pair, one cell of the grid at a time
(causal tracing, Meng et al. 2022, arXiv 2202.05262). Whatever comes after the patched pass is
computed anew, the later latents and their picks as well: the effect flows on. One control puts an
unrelated run's activations into the same cell, another patches as many random positions of the
prompt, and a sham puts all of a run's own activations back.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.backbones import Component
from latentlab.data import Example
from latentlab.draws import example_generator
from latentlab.patch.pairs import Pair
from latentlab.patch.readout import Readout, Row, answer_logits
from latentlab.prompts import Prompter
from latentlab.reasoner import Reasoner
from latentlab.reasoning.activations import Activations, Site, head_slice, patched, record
from latentlab.reasoning.plan import LatentPlan
from latentlab.vocabulary import CONTROL, PATCH, PatchMode

UNRELATED = "from an unrelated question"
"""What the slot of a control says where it puts in a third run's activations."""

SHAM = "sham"
"""Slot of the control that patches every slot with the run's own activations."""


@dataclass(frozen=True)
class Slot:
    """Positions of one pass that are patched together."""

    name: str
    """What tables call them."""

    clock: int
    """Which pass, see `Rollout.clock`."""

    positions: tuple[int, ...] = (-1,)
    """Where in it, counted from its end."""

    drawn: int = 0
    """How many positions of the prompt to draw for each example instead: a control."""


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
            site = Site(self.slot.clock, self.layer, self.component, position)
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
    slots = [Slot("prompt end", 0)]
    k = plan.k if plan.select != "all" else 0
    text_first = plan.part_order == "text_vision"
    vision_from = 1 if text_first or not plan.text else 2
    for step in range(1, plan.steps + 1):
        text = Slot(f"text {step}", step, (-1 - (k if text_first else 0),))
        vision = Slot(f"vision {step}", step, tuple(-vision_from - i for i in range(k)))
        here = [*([text] if plan.text else []), *([vision] if k else [])]
        slots += here if text_first else here[::-1]
    if marker:
        slots.append(Slot("answer", plan.steps + 1))
    sizes = sorted({len(slot.positions) for slot in slots})
    return slots + [
        Slot("random prompt position" if n == 1 else f"{n} random prompt positions", 0, (), n)
        for n in sizes
    ]


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


class Run:
    """An undisturbed run of one side of a batch of pairs, recorded at every cell."""

    def __init__(
        self,
        reasoner: Reasoner,
        examples: Sequence[Example],
        cells: Sequence[Cell],
        seed: int,
        places: Sequence[Sequence[int]] = (),
    ) -> None:
        """Run the examples.

        Args:
            reasoner: the model.
            examples: what it is asked.
            cells: what to record.
            seed: seed of random picks.
            places: positions of each prompt, of which controls take the first ones.
        """
        positions = {p for cell in cells for p in cell.slot.positions}
        largest = max((cell.slot.drawn for cell in cells), default=0)
        positions |= {p for row in places for p in row[:largest]}
        self.marker = reasoner.prompter.marker_ids
        self.rollout = reasoner.rollout(seed=seed)
        self.batch = reasoner.batch(examples)
        components = sorted({cell.component for cell in cells})
        layers = {cell.layer for cell in cells}
        with record(self.rollout, layers, components, sorted(positions)) as self.activations:
            self.prefix = self.rollout.prefill(self.batch)
            self.state = self.rollout.reason(self.prefix)
            self.logits = answer_logits(self.rollout, self.state, self.marker)
        self.state.check_finite()

    def patched(
        self, values: Mapping[Site, Float[Tensor, "batch hidden"]]
    ) -> Float[Tensor, "batch vocab"]:
        """Run once more with activations put in, from the first pass that they change on."""
        rollout, first = self.rollout, min(site.clock for site in values)
        with patched(rollout, values):
            state = self.state
            if first <= rollout.plan.steps:
                prefix = self.prefix if first else rollout.prefill(self.batch)
                state = rollout.reason(prefix)
            return answer_logits(rollout, state, self.marker)


def random_places(prompter: Prompter, pairs: Sequence[Pair], seed: int) -> list[list[int]]:
    """Positions of each prompt but its last, in an order drawn for the example.

    Where the two prompts of a pair differ in length, those that both have, counted from the end.
    """
    sides = ([pair.clean for pair in pairs], [pair.corrupt for pair in pairs])
    lengths = [prompter.batch(side, LatentPlan(steps=0)).attention_mask.sum(-1) for side in sides]
    orders = [
        torch.randperm(int(n) - 1, generator=example_generator(pair.clean.id, seed, "places"))
        for pair, n in zip(pairs, torch.minimum(*lengths), strict=True)
    ]
    return [(-2 - order).tolist() for order in orders]


def patch_rows(
    clean: Run,
    corrupt: Run,
    unrelated: Run | None,
    readout: Readout,
    cells: Sequence[Cell],
    modes: Sequence[PatchMode],
    places: Sequence[Sequence[int]],
) -> Iterator[Row]:
    """Patch every cell of a batch of pairs, one at a time, and then the sham.

    Args:
        clean: the clean run.
        corrupt: the corrupt run.
        unrelated: the run of a third question of each pair, for the control, where there is one.
        readout: reads the answers.
        cells: the grid.
        modes: which run is patched: `restore` puts clean activations into the corrupt run,
            `corrupt` the reverse.
        places: what `random_places` returns.

    Yields:
        One row per pair and cell.
    """
    n_heads, numbers = clean.rollout.backbone.n_heads, count()
    for mode in modes if cells else ():
        own, source = (corrupt, clean) if mode == "restore" else (clean, corrupt)
        sham: dict[Site, Tensor] = {}
        for cell in cells:
            kept = own.activations
            values = cell.values(source.activations, kept, places, n_heads)
            yield from readout.rows(next(numbers), mode, own.patched(values), **cell.columns)
            if cell.slot.drawn:
                continue
            sham |= cell.values(kept, kept, places, n_heads)
            if unrelated is not None:
                values = cell.values(unrelated.activations, kept, places, n_heads)
                columns = cell.columns | {"kind": CONTROL, "control_of": cell.slot.name}
                columns["slot"] = f"{cell.slot.name}: {UNRELATED}"
                yield from readout.rows(next(numbers), mode, own.patched(values), **columns)
        columns = {"kind": CONTROL, "component": "all", "layer": None, "layers": None}
        columns |= {"head": None, "slot": SHAM, "control_of": ""}
        yield from readout.rows(next(numbers), mode, own.patched(sham), **columns)

"""Runs of both questions of each pair, and one put into the other, cell by cell."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.data import Example
from latentlab.draws import example_generator
from latentlab.patch.cells import FROM_UNRELATED, SHAM, UNRELATED, Cell
from latentlab.patch.pairs import Pair
from latentlab.patch.readout import Readout, Row, answer_logits
from latentlab.prompts import Prompter
from latentlab.reasoner import Reasoner
from latentlab.reasoning.activations import Site, patched, record
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.prompt import read_end
from latentlab.reasoning.trajectory import Trajectory
from latentlab.reasoning.undisturbed import Undisturbed
from latentlab.study.batches import one_round
from latentlab.vocabulary import CONTROL, PatchMode


class PairRun:
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
            self._merged = self.rollout.backbone.merge(self.batch)
            self.prefix = self.rollout.prefill(self.batch, merged=self._merged)
            self._undisturbed = Undisturbed.of(self.rollout, self.prefix)
            self.state = self._undisturbed.states[-1]
            self.logits = answer_logits(self.rollout, self.state, self.marker)
        self.state.check_finite()

    def patched(
        self, values: Mapping[Site, Float[Tensor, "batch hidden"]], exact: bool = False
    ) -> Float[Tensor, "batch vocab"]:
        """Run once more with activations put in, from the first position that they change on.

        Args:
            values: what is put where.
            exact: whether a changed prompt is read as a whole even where its last word would do, so
                that doing nothing is nothing to the last bit.
        """
        rollout = self.rollout
        with patched(rollout, values):
            state = self.state
            if min(site.pass_index for site in values) <= rollout.plan.steps:
                state = rollout.reason(self._before(values, exact))
            return answer_logits(rollout, state, self.marker)

    def _before(self, values: Mapping[Site, Tensor], exact: bool) -> Trajectory:
        """The state after the last pass that comes before the latent steps to run."""
        first = min(site.pass_index for site in values)
        if first:
            return self._undisturbed.at(first - 1)
        at_end = all(site.position == -1 for site in values if not site.pass_index)
        end = read_end(self.rollout, self.prefix) if at_end and not exact else None
        return end or self.rollout.prefill(self.batch, merged=self._merged)


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
    clean: PairRun,
    corrupt: PairRun,
    unrelated: PairRun | None,
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
            one_round(own.batch.examples)
            if cell.slot.drawn:
                continue
            sham |= cell.values(kept, kept, places, n_heads)
            if unrelated is not None:
                values = cell.values(unrelated.activations, kept, places, n_heads)
                columns = cell.columns | {"kind": CONTROL, "control_of": cell.slot.name}
                columns |= {"slot": f"{cell.slot.name}: {FROM_UNRELATED}", "control": UNRELATED}
                yield from readout.rows(next(numbers), mode, own.patched(values), **columns)
        columns = {"kind": CONTROL, "component": "all", "layer": None, "layers": None}
        columns |= {"head": None, "slot": SHAM, "control_of": "", "control": SHAM}
        yield from readout.rows(next(numbers), mode, own.patched(sham, exact=True), **columns)

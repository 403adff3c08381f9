"""Runs of both questions of each pair, and one put into the other, cell by cell."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count, groupby
from typing import Any, TypeVar

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
from latentlab.reasoning.activations import Site, Values, patched, record
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.prompt import ends_in_word, read_end
from latentlab.reasoning.together import side_by_side
from latentlab.reasoning.trajectory import Trajectory
from latentlab.reasoning.undisturbed import Undisturbed
from latentlab.study.batches import one_round, shares
from latentlab.vocabulary import CONTROL, PatchMode

Named = TypeVar("Named")


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

    def patched(self, values: Values, exact: bool = False) -> Float[Tensor, "batch vocab"]:
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

    def patched_side_by_side(
        self, runs: Iterable[tuple[Named, Values]], sequences: int
    ) -> Iterator[tuple[Named, Float[Tensor, "batch vocab"]]]:
        """Run once more for each of several patches, as rows of one batch where there is room.

        Args:
            runs: a name for each run, and what is put where.
            sequences: rows that run at a time at most.

        Yields:
            The name of each run, and its logits: those of `patched`, up to rounding.
        """
        several = max(1, sequences // len(self.batch.examples))
        for start, share in groupby(runs, lambda run: self._start(run[1])):
            for chunk in shares(share, several):
                names, values = zip(*chunk, strict=True)
                if len(chunk) == 1 or start is None:
                    yield from zip(names, map(self.patched, values), strict=True)
                else:
                    logits = self._together(start, values).chunk(len(chunk))
                    yield from zip(names, logits, strict=True)

    def _start(self, values: Values) -> int | None:
        """The first pass to run; None where it is the whole prompt, of which nothing is shared."""
        first = min(site.pass_index for site in values)
        whole = first == 0 and not (_at_end(values) and ends_in_word(self.prefix))
        return None if whole or not self.rollout.plan.alike else first

    def _together(self, start: int, runs: Sequence[Values]) -> Float[Tensor, "rows vocab"]:
        """Logits of several runs, with the rows of the first run first."""
        rollout, steps = self.rollout, self.rollout.plan.steps
        shared = self._undisturbed.at(max(start - 1, 0)) if start <= steps else self.state
        state = side_by_side(shared, len(runs))
        with patched(rollout, *runs):
            state = read_end(rollout, state) if start == 0 else state
            return answer_logits(rollout, rollout.reason(state), self.marker)

    def _before(self, values: Values, exact: bool) -> Trajectory:
        """The state after the last pass that comes before the latent steps to run."""
        first = min(site.pass_index for site in values)
        if first:
            return self._undisturbed.at(first - 1)
        if _at_end(values) and ends_in_word(self.prefix) and not exact:
            return read_end(self.rollout, self.prefix)
        return self.rollout.prefill(self.batch, merged=self._merged)


def _at_end(values: Values) -> bool:
    """Whether of a prompt nothing but its end is patched."""
    return all(site.position == -1 for site in values if not site.pass_index)


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
    sequences: int = 0,
) -> Iterator[Row]:
    """Patch every cell of a batch of pairs, each on its own, and then the sham.

    Args:
        clean: the clean run.
        corrupt: the corrupt run.
        unrelated: the run of a third question of each pair, for the control, where there is one.
        readout: reads the answers.
        cells: the grid.
        modes: which run is patched: `restore` puts clean activations into the corrupt run,
            `corrupt` the reverse.
        places: what `random_places` returns.
        sequences: rows that may run at a time; 0 runs every cell alone.

    Yields:
        One row per pair and cell.
    """
    numbers, sham = count(), dict[Site, Tensor]()

    def runs(own: PairRun, source: PairRun) -> Iterator[tuple[dict[str, Any], Values]]:
        n_heads, kept = own.rollout.backbone.n_heads, own.activations
        for cell in cells:
            yield cell.columns, cell.values(source.activations, kept, places, n_heads)
            if cell.slot.drawn:
                continue
            sham.update(cell.values(kept, kept, places, n_heads))
            if unrelated is not None:
                columns = cell.columns | {"kind": CONTROL, "control_of": cell.slot.name}
                columns |= {"slot": f"{cell.slot.name}: {FROM_UNRELATED}", "control": UNRELATED}
                yield columns, cell.values(unrelated.activations, kept, places, n_heads)

    for mode in modes if cells else ():
        own, source = (corrupt, clean) if mode == "restore" else (clean, corrupt)
        sham.clear()
        for columns, logits in own.patched_side_by_side(runs(own, source), sequences):
            yield from readout.rows(next(numbers), mode, logits, **columns)
            if columns["control"] != UNRELATED:
                one_round(own.batch.examples)
        columns = {"kind": CONTROL, "component": "all", "layer": None, "layers": None}
        columns |= {"head": None, "slot": SHAM, "control_of": "", "control": SHAM}
        yield from readout.rows(next(numbers), mode, own.patched(sham, exact=True), **columns)

"""Runs every cell and knock-out on one model: questions in pairs, one run put into the other."""

from dataclasses import dataclass
from itertools import chain

import pandas as pd
import torch

from latentlab.errors import UserError
from latentlab.patch.cells import Cell, cells_of
from latentlab.patch.config import PatchConfig
from latentlab.patch.knockouts import applicable, knockout_rows
from latentlab.patch.pairs import Pair, pairs_of
from latentlab.patch.readout import Readout, Row
from latentlab.patch.runs import PairRun, patch_rows, random_places
from latentlab.study.asked import load_for
from latentlab.study.batches import Numbered, over_batches
from latentlab.study.instrument import Subject
from latentlab.study.steps import one_call
from latentlab.vocabulary import KnockoutName


@dataclass(frozen=True, eq=False)
class PreparedPatching:
    """What is run on one model."""

    pairs: list[Pair]
    """The clean questions and their partners."""

    cells: list[Cell]
    """What is patched."""

    knockouts: list[KnockoutName]
    """Attention that is knocked out."""


def prepare(config: PatchConfig, subject: Subject) -> PreparedPatching | None:
    """Pair the questions, and look for what would go wrong in the middle of a run.

    Raises:
        UserError: the data has no such pairs, or the model no such positions or layers.
    """
    reasoner, examples = subject.reasoner, subject.examples
    if not one_call(subject, "patches"):
        return None
    if reasoner.plan.steps and reasoner.plan.content == "words":
        raise UserError(f"{reasoner.name} writes its steps in words: it has no slots to patch")
    whole = load_for(config)
    pairs = pairs_of(config.pair, examples, reasoner.prompter, config.seed, whole)
    if lost := len(examples) - len(pairs):
        subject.tell(f"{reasoner.name}: {lost} of {len(examples)} examples have no partner")
    if any(pair.unrelated is None for pair in pairs):
        subject.tell(
            f"{reasoner.name}: not every pair has an unrelated question, so no such control"
        )
    if config.window > reasoner.backbone.n_layers:
        layers = reasoner.backbone.n_layers
        raise UserError(f"--window {config.window}: {reasoner.name} has {layers} layers")
    there = applicable(config.knockout, reasoner.plan, bool(reasoner.prompter.marker_ids))
    if lacking := [name for name in config.knockout if name not in there]:
        message = f"--knockout {' '.join(lacking)}: {reasoner.name} has no such positions"
        # Whatever is left of the flags is worth running.
        (subject.tell if there or config.component or config.heads else subject.lacks)(message)
    reasoner.prompter.batch([pairs[0].clean, pairs[0].corrupt], reasoner.plan)
    return PreparedPatching(pairs, cells_of(reasoner, config.component, config.heads), there)


@torch.no_grad()
def rows_of(config: PatchConfig, subject: Subject, prepared: PreparedPatching) -> pd.DataFrame:
    """Run every cell and knock-out on one model.

    Returns:
        One row per pair and cell or knock-out, in the order of these and then of the examples; the
        columns are those of `readout.Readout.rows`, with `model` and `data`.
    """
    reasoner, pairs, cells = subject.reasoner, prepared.pairs, prepared.cells
    seed = config.seed
    # Every cell rests on the same pairs, so either all of them have a third question or none.
    control = all(pair.unrelated is not None for pair in pairs)

    def of_batch(numbered: Numbered) -> list[Row]:
        chosen = [pairs[i] for i, _ in numbered]
        places = random_places(reasoner.prompter, chosen, seed) if cells else []
        clean = PairRun(reasoner, [pair.clean for pair in chosen], cells, seed, places)
        corrupt = PairRun(reasoner, [pair.corrupt for pair in chosen], cells, seed, places)
        thirds = [pair.unrelated for pair in chosen if pair.unrelated is not None]
        third = PairRun(reasoner, thirds, cells, seed) if cells and control else None
        readout = Readout(chosen, clean.logits, corrupt.logits)
        modes, size = config.mode, config.batch_size
        new = list(patch_rows(clean, corrupt, third, readout, cells, modes, places, size))
        first = new[-1][0][0] + 1 if new else 0
        knockouts, width = prepared.knockouts, config.window
        new += knockout_rows(reasoner, clean, readout, knockouts, width, seed, first, size)
        return [((number, numbered[i][0]), row) for (number, i), row in new]

    asked = [pair.clean for pair in pairs]
    size, name = config.batch_size, reasoner.name
    rounds = len(config.mode) * len(cells) + len(prepared.knockouts)
    found = chain(*over_batches(asked, size, of_batch, name, rounds, "runs"))
    ordered = sorted(found, key=lambda item: item[0])
    rows = [{"model": reasoner.name, "data": config.data, **row} for _, row in ordered]
    whole_numbers = ("hops", "layer", "layers", "head", "step", "n_positions")
    return pd.DataFrame(rows).astype(dict.fromkeys(whole_numbers, "Int64"))

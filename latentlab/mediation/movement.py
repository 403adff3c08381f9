"""Input -> latent: how far each latent of a run moves when its input is perturbed.

Latents are compared slot by slot with the run on the undisturbed input, beside an ordinary token
state of the same runs. Distances are explained in `mediation.distance`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from latentlab.mediation.distance import (
    Spread,
    aligned,
    cosine_distance,
    overlap,
    scaled_distance,
)
from latentlab.mediation.input_run import InputRun
from latentlab.mediation.lines import DISTANCES
from latentlab.mediation.summary import MOVEMENT
from latentlab.reasoning.trajectory import Latent

Slots = tuple[Tensor | None, Tensor | None, Tensor]
"""Latent texts, re-inserted embeddings and ordinary token states of a batch."""

ORDINARY, PICKS = "ordinary", "picks"
"""Values of the column `part` beside `latent_text` and `latent_vision`."""


@dataclass(frozen=True)
class Spreads:
    """How much each slot varies over undisturbed examples."""

    text: Spread | None
    """Of the latent text at each step."""

    vision: Spread | None
    """Of each re-inserted embedding at each step."""

    ordinary: Spread
    """Of the ordinary token state."""


def slots_of(run: InputRun) -> Slots:
    """What a run holds of which the spread is measured."""
    return run.bank.text, run.bank.vision, run.ordinary


def reference_spreads(runs: Iterable[Slots]) -> Spreads:
    """Measure the slots of undisturbed runs."""
    texts, visions, ordinary = zip(*runs, strict=True)
    return Spreads(_spread(texts), _spread(visions), Spread.of(torch.cat(ordinary)))


def movement_rows(clean: InputRun, other: InputRun, spreads: Spreads) -> Iterator[dict[str, Any]]:
    """Compare the latents of two inputs.

    Args:
        clean: the run on the undisturbed input.
        other: the run on the perturbed one.
        spreads: how much each slot varies over examples.

    Yields:
        Columns of one part at one step, one value per example: `measure, part, steps` and the
        distances; those that a part does not have are missing. `latent_vision` has distances of the
        patches that both runs re-inserted, missing where there is none.
    """
    yield _columns(ORDINARY, "", _distances(clean.ordinary, other.ordinary, spreads.ordinary))
    pairs = zip(clean.state.latents, other.state.latents, strict=True)
    for step, (before, after) in enumerate(pairs):
        label = str(step + 1)
        if before.text is not None and after.text is not None and spreads.text is not None:
            found = _distances(before.text, after.text, _at(spreads.text, step))
            yield _columns("latent_text", label, found)
        picked = clean.state.plan.content != "placeholder"  # a constant is no pick
        if picked and before.picks is not None and after.picks is not None:
            kept, jaccard = overlap(before.picks, after.picks)
            yield _columns(PICKS, label, {"kept": kept, "jaccard": jaccard})
        if before.vision is not None and spreads.vision is not None:
            found = _vision(before, after, _at(spreads.vision, step), picked)
            yield _columns("latent_vision", label, found)


def _vision(before: Latent, after: Latent, spread: Spread, picked: bool) -> dict[str, Tensor]:
    """Mean distances of the patches that both runs re-inserted; of constants, slot by slot."""
    assert before.vision is not None and after.vision is not None
    if not picked or before.picks is None or after.picks is None:
        found = _distances(before.vision, after.vision, spread)
        return {name: value.mean(-1) for name, value in found.items()}
    vectors, stays = aligned(before.picks, after.picks, after.vision)
    found = _distances(before.vision, vectors, spread)
    return {name: value.masked_fill(~stays, torch.nan).nanmean(-1) for name, value in found.items()}


def _distances(before: Tensor, after: Tensor, spread: Spread) -> dict[str, Tensor]:
    return {
        "cosine": cosine_distance(before, after),
        "centred": cosine_distance(before, after, spread.mean),
        "sd": scaled_distance(before, after, spread.std),
    }


def _columns(part: str, steps: str, found: dict[str, Tensor]) -> dict[str, Any]:
    """Distances of a batch as columns of rows."""
    size = len(next(iter(found.values())))
    missing = np.full(size, np.nan)
    values = {n: found[n].double().cpu().numpy() if n in found else missing for n in DISTANCES}
    names = {"measure": MOVEMENT, "mediator": "", "part": part, "steps": steps, "outcome": ""}
    return {name: np.full(size, value) for name, value in names.items()} | values


def _at(spread: Spread, step: int) -> Spread:
    return Spread(spread.mean[step], spread.std[step])


def _spread(batches: Iterable[Tensor | None]) -> Spread | None:
    """The spread over batches; None where a part is missing or its number of slots varies."""
    values = list(batches)
    present = [value for value in values if value is not None]
    if len(present) < len(values) or len({value.shape[1:] for value in present}) != 1:
        return None
    return Spread.of(torch.cat(present))

"""Several ways to intervene on one batch, run as one: what they share is run once.

Runs that go on from one prefix differ only in what is done to their latents. Here they are rows of
one batch. Until a run does something it shares the row of those that have done nothing yet, so the
steps before the first edit are run once however many runs there are; from there on it has a row of
its own, in the same passes as all others. A step whose parts are left out in some rows is padded
there, and padding is never seen.

Rows are those of separate runs up to rounding: the sums of a matrix product may be added up in
another order where a batch is larger. What must be equal to the last bit is run on its own.
"""

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor

from latentlab.reasoning.bank import Bank
from latentlab.reasoning.interventions import Intervention
from latentlab.reasoning.layout import Slots, placed
from latentlab.reasoning.make import make_latent
from latentlab.reasoning.passes import advance
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.selection import check_patches
from latentlab.reasoning.sources import Context
from latentlab.reasoning.trajectory import Latent, Patches, Trajectory
from latentlab.reasoning.visibility import Kind

Edits = Sequence[Intervention]
"""What one run does to its latents, in order."""


def can_join(plan: LatentPlan) -> bool:
    """Whether runs under a plan can be rows of one batch: all steps take place, none in words."""
    return bool(plan.steps) and plan.alike


@torch.no_grad()
def reason_together(
    rollout: Rollout, prefix: Trajectory, runs: Sequence[Edits], own: Bank | None = None
) -> Trajectory:
    """Run the plan's latent steps from one prefix under several lists of interventions.

    Args:
        rollout: the engine; its plan is one that `can_join`.
        prefix: what `Rollout.prefill` returned for the batch; it stays as it was.
        runs: the interventions of each run.
        own: the batch's undisturbed latents.

    Returns:
        The state after the steps, with the rows of the first run first. Its `latents` are empty
        but for their number, since runs may append unequal ones; `Trajectory.rows` are not kept.

    Raises:
        UserError: an image has too few patches, or given picks do not fit it.
        ValueError: the plan cannot be joined, or the prefix was computed otherwise.
    """
    plan = rollout.plan
    if not can_join(plan) or not rollout.continues(prefix):
        raise ValueError("these runs cannot be rows of one batch")
    batch = prefix.batch
    check_patches(plan, batch.examples, prefix.patches.count, batch.given_picks)
    size = len(batch.examples)
    state = prefix.fork()
    groups: list[list[int]] = [list(range(len(runs)))]
    for step in range(plan.steps):
        made = make_latent(plan, state, step, rollout.seed, rollout.placeholder)
        parents: list[int] = []
        split: list[list[int]] = []
        latents: list[Latent] = []
        for row, group in enumerate(groups):
            part = slice(row * size, (row + 1) * size)
            latent = _rows(made, part)
            patches = _patches(state.patches, part)
            context = Context(batch.examples, rollout.placeholder, rollout.seed, own, patches)
            untouched: list[int] = []
            for run in group:
                edited = latent
                for edit in runs[run]:
                    edited = edit.edit(edited, step, context)
                if edited is latent:
                    untouched.append(run)
                    continue
                parents.append(row)
                split.append([run])
                latents.append(edited)
            if untouched:
                parents.append(row)
                split.append(untouched)
                latents.append(latent)
        state = _select(state, parents, size)
        groups = split
        _append(rollout, state, latents, size, step)
    where = {run: row for row, group in enumerate(groups) for run in group}
    return _select(state, [where[run] for run in range(len(runs))], size)


def side_by_side(state: Trajectory, runs: int) -> Trajectory:
    """A state whose rows are those of another, so many times over: the first run's, and so on."""
    return _select(state, [0] * runs, len(state.hidden))


def _append(
    rollout: Rollout, state: Trajectory, latents: Sequence[Latent], size: int, step: int
) -> None:
    """Append one step's slots, each run's own, and run them in one pass."""
    count = state.patches.count
    none = count.new_zeros(size, 0)
    every: list[Slots] = []
    widths: list[Tensor] = []
    for i, latent in enumerate(latents):
        part = slice(i * size, (i + 1) * size)
        slots, width = placed(rollout.plan, latent, count[part])
        every.append(slots or (state.hidden[part, None][:, :0], none, none))
        widths.append(width)
    longest = max(kinds.shape[1] for _, kinds, _ in every)
    fills = 0, int(Kind.PAD), 0
    embeds, kinds, places = (
        torch.cat([_padded(values, longest, fill) for values in of])
        for of, fill in zip(zip(*every, strict=True), fills, strict=True)
    )
    start, newest, row = state.next_position, state.hidden, state.row
    rollout.pass_index = step + 1
    if longest:
        advance(rollout, state, embeds, kinds, start[:, None] + places)
        held = kinds[:, -1] != Kind.PAD
        state.hidden = torch.where(held[:, None], state.hidden, newest)
        if row is not None and state.row is not None:
            # A run without slots goes on from the position that it stands at.
            row = torch.nn.functional.pad(row, (0, longest))
            state.row = torch.where(held[None, :, None, None], state.row, row)
    state.latents.append(Latent(None, None))
    state.next_position = start + torch.cat(widths)


def _padded(values: Tensor, longest: int, fill: int) -> Tensor:
    """Slots with padding before them, so that a step ends in a slot that holds something."""
    missing = longest - values.shape[1]
    if not missing:
        return values
    return torch.cat([values.new_full((len(values), missing, *values.shape[2:]), fill), values], 1)


def _select(state: Trajectory, parents: Sequence[int], size: int) -> Trajectory:
    """A state whose runs are copies of some runs of another, in order."""
    if len(parents) * size == len(state.hidden) and list(parents) == list(range(len(parents))):
        return state
    one = torch.arange(size, device=state.hidden.device)
    rows = torch.cat([one + parent * size for parent in parents])
    chosen = rows.tolist()
    fork, batch = state.fork(), state.batch
    fork.cache.batch_select_indices(rows)
    picks = batch.given_picks
    return dataclasses.replace(
        fork,
        batch=dataclasses.replace(
            batch,
            examples=tuple(batch.examples[i] for i in chosen),
            input_ids=batch.input_ids[rows],
            attention_mask=batch.attention_mask[rows],
            given_picks=None if picks is None else picks[rows],
        ),
        kinds=state.kinds[rows],
        next_position=state.next_position[rows],
        hidden=state.hidden[rows],
        row=None if state.row is None else state.row[:, rows],
        patches=_patches(state.patches, rows),
        available=state.available[rows],
        deep=None,
    )


def _patches(patches: Patches, rows: slice | Tensor) -> Patches:
    return Patches(patches.embeds[rows], patches.index[rows], patches.exists[rows])


def _rows(latent: Latent, part: slice) -> Latent:
    """A latent's rows of one run."""
    return latent.replace(
        text=None if latent.text is None else latent.text[part],
        vision=None if latent.vision is None else latent.vision[part],
        picks=None if latent.picks is None else latent.picks[part],
    )

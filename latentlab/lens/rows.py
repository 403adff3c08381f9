"""Rows of the lens study: what is read off every latent slot, and what makes the answer's logit.

A rollout is run once; the sequence it grew is then read in one forward pass (`reasoning.unrolled`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from latentlab.backbones import Backbone
from latentlab.data.example import Example
from latentlab.lens.attribution import attribution_rows
from latentlab.lens.config import LensConfig
from latentlab.lens.logit_lens import (
    NO_TOKEN,
    LensReading,
    lens_logits,
    nearest_tokens,
    padded_targets,
    read,
)
from latentlab.lens.targets import OWN, TARGET, control_of, targets_of
from latentlab.reasoner import Reasoner
from latentlab.reasoning.activations import Activations, Site, record
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.unrolled import Unrolled, unroll
from latentlab.reasoning.visibility import Kind
from latentlab.study.batches import Numbered, over_batches
from latentlab.study.identity import group_columns
from latentlab.study.instrument import Subject
from latentlab.study.picks import check_picks
from latentlab.study.steps import one_call, same_steps
from latentlab.vocabulary import CONTROL

LENS, FED_IN, NEAREST = "logit lens", "as fed in", "nearest token"
"""Readings: the stream after a layer through final norm and unembedding; a latent through the
unembedding, as it is fed in; the token embedding nearest to it."""

LATENTS = (Kind.LATENT_TEXT, Kind.LATENT_VISION)


@dataclass(frozen=True)
class Position:
    """A position of the unrolled sequence that is read."""

    step: int
    """0 the last of the prompt, t latent step t, steps + 1 the last of the answer marker."""

    slot: str
    """What it holds, numbered where a step has several of the kind."""

    index: int
    """Where it stands."""


def prepare(config: LensConfig, subject: Subject) -> bool | None:
    """Look for what would go wrong in the middle of a run; nearly every model can be read.

    Raises:
        UserError: a picture has too few patches, or there are no traces where they are needed.
    """
    if not one_call(subject, "lenses") or not same_steps(subject, "readings of each slot"):
        return None
    check_picks(subject.reasoner, subject.examples)
    return True


@torch.no_grad()
def rows_of(config: LensConfig, subject: Subject, prepared: bool = True) -> pd.DataFrame:
    """Read every latent slot of every example, and attribute its answer.

    Args:
        config: the flags.
        subject: the model and what it is asked.
        prepared: nothing that `prepare` has to hand on.

    Returns:
        One row per example, place, layer and target (measures `logit lens`, `as fed in`, `nearest
        token`), with `rank`, `logprob` in nats, `margin` (what the log-probability lies above that
        of the target's control, in nats), `top` (text of the first token) and `entropy` in nats;
        and one per example, part and target (`attribution`), with `component, layer, source, step`
        of the part, its `logit` (what it adds to the logit of the answer minus the mean of the
        other options', first tokens) and the `margin` over the control's. `at_once` tells, where
        the position before the answer marker is read and after it, whether the model itself would
        have gone on with the marker.
    """
    reasoner, examples, seed = subject.reasoner, subject.examples, config.seed

    def of_batch(numbered: Numbered) -> pd.DataFrame:
        asked = [example for _, example in numbered]
        rollout = reasoner.rollout(seed=seed)
        prompts = reasoner.batch(asked)
        state, unrolled = unroll(rollout, prompts, reasoner.prompter.marker_ids)
        state.check_finite()
        head = _head(reasoner, asked, config.data)
        every = config.slots == "every"
        read_off = _lens_rows(reasoner, rollout, unrolled, asked, head, every, seed)
        added = attribution_rows(reasoner, rollout, unrolled, asked, head, seed)
        return pd.concat([*read_off, *added])

    frames = over_batches(examples, config.batch_size, of_batch, reasoner.name)
    rows = pd.concat(frames, ignore_index=True)
    known = rows["rank"].notna() | rows["logit"].notna()
    whole = dict.fromkeys(("hops", "step", "layer"), "Int64")
    return rows[known].astype({**whole, "at_once": "boolean"})


def places_of(unrolled: Unrolled, steps: int, every_slot: bool) -> list[Position]:
    """Which positions are read: the newest of each pass, or every slot of the latent steps."""
    found = []
    for pass_index in range(steps + 2):
        if (newest := unrolled.newest(pass_index)) is None:
            continue
        indices = [newest]
        if every_slot and 0 < pass_index <= steps:
            indices = [i for kind in LATENTS for i in unrolled.slots(pass_index, kind)]
        kinds = [Kind(int(unrolled.kinds[:, i].max())).name.lower() for i in indices]
        for n, (index, kind) in enumerate(zip(indices, kinds, strict=True)):
            number = f" {kinds[:n].count(kind) + 1}" if kinds.count(kind) > 1 else ""
            found.append(Position(pass_index, kind + number, index))
    return found


def _head(reasoner: Reasoner, asked: Sequence[Example], data: str) -> pd.DataFrame:
    """The columns that say which model and example a row is about."""
    names = ("domain", "topic", "hops", "question_type")
    about = {name: [getattr(example, name) for example in asked] for name in names}
    ids = [example.id for example in asked]
    named: dict[str, Any] = {"model": reasoner.name, "data": data, "example": ids}
    named["cluster"] = [list(example.clusters) for example in asked]
    return pd.DataFrame({**group_columns(asked), **named, **about, "at_once": pd.NA})


def _lens_rows(
    reasoner: Reasoner,
    rollout: Rollout,
    unrolled: Unrolled,
    asked: Sequence[Example],
    head: pd.DataFrame,
    every_slot: bool,
    seed: int,
) -> Iterator[pd.DataFrame]:
    """What is read at every place and layer."""
    backbone, length = reasoner.backbone, unrolled.kinds.shape[1]
    found = [targets_of(example, reasoner.prompter, seed) for example in asked]
    names = list(dict.fromkeys(name for targets in found for name in targets))
    ids = padded_targets(
        [[targets.get(name, []) for name in names] for targets in found], unrolled.kinds.device
    )
    places = places_of(unrolled, rollout.plan.steps, every_slot)
    positions = [place.index - length for place in places]
    kept: Activations
    with record(rollout, positions=positions) as kept:
        unrolled.forward(backbone)
    layers = range(backbone.n_layers)
    marker = reasoner.prompter.marker_ids
    for place, position in zip(places, positions, strict=True):
        streams = [
            kept[Site(rollout.pass_index, layer, "resid_post", position)] for layer in layers
        ]
        is_latent = 0 < place.step <= rollout.plan.steps
        fed = unrolled.embeds[:, place.index] if is_latent else None
        own = lens_logits(backbone, streams[-1]).argmax(-1)
        if marker and place.index == length - len(marker) - 1:
            head = head.assign(at_once=(own == marker[0]).tolist())
        real = np.repeat((unrolled.kinds[:, place.index] != Kind.PAD).cpu().numpy(), len(names) + 1)
        for measure, layer, reading in _readings(backbone, streams, fed, _with_own(ids, own)):
            where = {"measure": measure, "step": place.step, "slot": place.slot, "layer": layer}
            yield _reading_rows(reasoner, head, where, [*names, OWN], reading)[real]


def _readings(
    backbone: Backbone,
    streams: Sequence[Float[Tensor, "batch hidden"]],
    fed: Float[Tensor, "batch hidden"] | None,
    targets: Int[Tensor, "batch targets spellings"],
) -> Iterator[tuple[str, int | None, LensReading]]:
    """What is read at one place: measure, layer and reading; `fed` is a latent as it was fed in."""
    if fed is not None:
        yield FED_IN, None, read(backbone.logits(fed), targets)
        yield NEAREST, None, read(nearest_tokens(backbone, fed), targets, probabilities=False)
    for layer, stream in enumerate(streams):
        yield LENS, layer, read(lens_logits(backbone, stream), targets)


def _with_own(
    ids: Int[Tensor, "batch targets spellings"], own: Int[Tensor, " batch"]
) -> Int[Tensor, "batch targets+1 spellings"]:
    """Add the model's own next token to the targets."""
    last = torch.full_like(ids[:, :1], NO_TOKEN)
    last[:, 0, 0] = own
    return torch.cat([ids, last], dim=1)


def _reading_rows(
    reasoner: Reasoner,
    head: pd.DataFrame,
    where: dict[str, Any],
    names: list[str],
    reading: LensReading,
) -> pd.DataFrame:
    """One row per example and target that is there."""
    logprob = reading.logprob.cpu().numpy()
    controls = [control_of(name) for name in names]
    margin = np.full_like(logprob, np.nan)
    for i, control in enumerate(controls):
        if control in names:
            margin[:, i] = logprob[:, i] - logprob[:, names.index(control)]
    n = len(names)
    about = head.loc[head.index.repeat(n)].reset_index(drop=True)
    is_control = [name in {control_of(other) for other in names} for name in names]
    tops = [reasoner.prompter.tokenizer.decode([token]) for token in reading.top.tolist()]
    return about.assign(
        **where,
        target=names * len(head),
        kind=[CONTROL if control else TARGET for control in is_control] * len(head),
        rank=reading.rank.cpu().numpy().ravel(),
        logprob=logprob.ravel(),
        margin=margin.ravel(),
        top=np.repeat(np.array(tops, dtype=object), n),
        entropy=np.repeat(reading.entropy.cpu().numpy(), n),
    )

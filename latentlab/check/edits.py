"""Checks that what changes nothing changes nothing, to the bit, and that what should does.

An edit that never reaches the model would pass the first half, so each check also makes an edit
that must show; if it does not, the difference is infinite.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import get_args

import torch

from latentlab.backbones import Component
from latentlab.check.material import Material, difference, worst
from latentlab.reasoning.activations import Activations, Site, patched, record
from latentlab.reasoning.decode import append_text
from latentlab.reasoning.interventions import (
    Add,
    Hooked,
    Intervention,
    PromptReplace,
    Replace,
    applied,
    permute,
)
from latentlab.reasoning.knockout import Knockout
from latentlab.reasoning.sources import Bank, Vector, Zero
from latentlab.reasoning.trajectory import Trajectory

NOTHING: list[Intervention | Hooked] = [
    Knockout("latent", "answer"),
    Knockout("latent", "image", layers=()),
]
"""Knock-outs of what is not there, and of no layer."""

PLACES = (-1, -2, -3)
"""The positions of each pass that are looked at: a step has three."""


@torch.no_grad()
def zero(material: Material) -> float:
    """Interventions of zero size: nothing added, one's own put back, nothing overwritten."""
    plain = _run(material)
    ones = Vector(torch.ones(plain.hidden.shape[-1], device=plain.hidden.device))
    back = permute("latent", tuple(range(material.reasoner.plan.steps)))
    nothing: list[list[Intervention | Hooked]]
    nothing = [[Add("latent", ones, strength=0.0)], [back], NOTHING]
    found = [_change(_run(material, edits), plain) for edits in nothing]
    found.append(_change(_run(material, prompt=PromptReplace(Zero(), count=0)), plain))
    shown: list[list[Intervention | Hooked]]
    shown = [[Replace("latent", Zero())], [Knockout("latent", "image")]]
    return worst([*found, *(_must_show(_run(material, edits), plain) for edits in shown)])


@torch.no_grad()
def own(material: Material) -> float:
    """Activations overwritten with what they are: every component of every layer and pass."""
    kept: Activations = {}
    plain = _run(material, keep=kept)
    found = _change(_run(material, put=kept), plain)
    site = Site(1, 0)
    shown = _run(material, put={site: torch.zeros_like(kept[site])})
    return worst([found, _must_show(shown, plain)])


@torch.no_grad()
def components(material: Material) -> float:
    """The stream after each layer, against what was before it and what attention and MLP add."""
    kept: Activations = {}
    _run(material, keep=kept)
    found = []
    for site, after in kept.items():
        if site.component == "resid_post":
            parts: tuple[Component, ...] = ("resid_pre", "attn_out", "mlp_out")
            before, *added = (kept[replace(site, component=part)] for part in parts)
            found.append(difference(after, before + sum(added)))
    return worst(found)


def _run(
    material: Material,
    edits: Sequence[Intervention | Hooked] = (),
    prompt: PromptReplace | None = None,
    keep: Activations | None = None,
    put: Activations | None = None,
) -> Trajectory:
    """Run a rollout with its answer marker under edits, keeping or overwriting activations."""
    reasoner, rollout = material.reasoner, material.rollout()
    batch = material.batch()
    bank = Bank.of(batch.examples, [rollout(batch).latents])
    with ExitStack() as stack:
        stack.enter_context(applied(rollout, edits))
        stack.enter_context(patched(rollout, put or {}))
        kept = stack.enter_context(record(rollout, None, get_args(Component), PLACES))
        prefix = rollout.prefill(batch, [] if prompt is None else [prompt])
        state = rollout.reason(prefix, edits, bank)
        append_text(rollout, state, reasoner.prompter.marker_ids)
        if keep is not None:
            keep.update(kept)
    return state


def _change(state: Trajectory, plain: Trajectory) -> float:
    """By how much the newest hidden state differs."""
    return float((state.hidden - plain.hidden).abs().max())


def _must_show(state: Trajectory, plain: Trajectory) -> float:
    """Nothing if a state differs, as it must."""
    return 0.0 if _change(state, plain) > 0 else torch.inf

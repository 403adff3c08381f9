"""The attention knock-outs of a study: which a model can have, and what they do to its answers.

They act on the clean runs of activation patching. Picks are those of the undisturbed run: what is
knocked out is reading by attention, not the choice of the patches to look at again, which `ablate
--select` changes. Passes before the first one that loses keys are not run again.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from itertools import groupby

from jaxtyping import Float
from torch import Tensor

from latentlab.patch.cells import RANDOM
from latentlab.patch.readout import KNOCKED_OUT, Readout, Row, answer_logits
from latentlab.patch.runs import PairRun
from latentlab.reasoner import Reasoner
from latentlab.reasoning.knockout import Knockout, knocked_out
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.together import side_by_side
from latentlab.reasoning.trajectory import Trajectory
from latentlab.study.batches import one_round, shares
from latentlab.vocabulary import CONTROL, KNOCK_OUT, KnockoutName

RANDOM_KEYS = "as many random keys of the prompt"
"""What the control of a knock-out hides instead."""


def applicable(names: Sequence[KnockoutName], plan: LatentPlan, marker: bool) -> list[KnockoutName]:
    """The knock-outs that cut something in a model with this plan.

    Args:
        names: those asked for.
        plan: the model's.
        marker: whether there is an answer marker, without which no position belongs to the answer.
    """
    there = {
        "latent": plan.steps > 0,
        "latent_text": plan.steps > 0 and plan.has_text,
        "latent_vision": plan.steps > 0 and plan.has_vision,
        "earlier": plan.steps > 1,
        "answer": marker,
        "image": True,
        "prompt": True,
    }
    return [name for name in names if all(there[end] for end in name.split("-"))]


def knockout_of(name: KnockoutName) -> Knockout:
    """What a name stands for."""
    query, key = name.split("-")
    return Knockout(query, "latent", earlier=True) if key == "earlier" else Knockout(query, key)


def windows(n_layers: int, width: int) -> list[range]:
    """All layers together, and every run of `width` layers where that is not 0."""
    parts = [range(i, i + width) for i in range(n_layers - width + 1)] if width else []
    return [range(n_layers), *(part for part in parts if len(part) < n_layers)]


def logits_without(
    reasoner: Reasoner, run: PairRun, knockout: Knockout, seed: int
) -> Float[Tensor, "batch vocab"]:
    """Logits where the answer begins, under a knock-out; picks stay those of the run."""
    plan, prefix = _picking_alike(reasoner.plan, run)
    # What a plan's blocked pairs can say is said there, so that the prompt is not hooked.
    said = knockout.plain and all(map(knockout.acts_in, range(reasoner.backbone.n_layers)))
    if said:
        plan = plan.replace(blocked=(*plan.blocked, (knockout.query, knockout.key)))
    rollout = reasoner.rollout(plan, seed)
    with nullcontext() if said else knocked_out(rollout, knockout):
        state = run.state if knockout.query == "answer" else rollout.reason(prefix)
        return answer_logits(rollout, state, run.marker)


def logits_side_by_side(
    reasoner: Reasoner, run: PairRun, knockouts: Sequence[Knockout], seed: int, sequences: int
) -> Iterator[Float[Tensor, "batch vocab"]]:
    """Those of `logits_without` for several knock-outs, as rows of one batch where there is room.

    Args:
        reasoner: the model.
        run: the run that is cut.
        knockouts: what is knocked out, run by run.
        seed: seed of random picks and keys.
        sequences: rows that run at a time at most.
    """
    plan, prefix = _picking_alike(reasoner.plan, run)
    several = max(1, sequences // len(prefix.batch.examples)) if plan.alike else 1
    for after, share in groupby(knockouts, lambda knockout: knockout.query == "answer"):
        for chunk in shares(share, several):
            if len(chunk) == 1:
                yield logits_without(reasoner, run, chunk[0], seed)
                continue
            rollout = reasoner.rollout(plan, seed)
            state = side_by_side(run.state if after else prefix, len(chunk))
            with knocked_out(rollout, *chunk):
                state = state if after else rollout.reason(state)
                yield from answer_logits(rollout, state, run.marker).chunk(len(chunk))


def _picking_alike(plan: LatentPlan, run: PairRun) -> tuple[LatentPlan, Trajectory]:
    """A plan and a prefix whose steps pick what those of the run picked."""
    prefix, picks = run.prefix, run.state.picks
    if picks is None or plan.select not in ("attention", "bottom"):
        return plan, prefix
    batch = dataclasses.replace(prefix.batch, given_picks=picks)
    return plan.replace(select="given"), dataclasses.replace(prefix, batch=batch)


def knockout_rows(
    reasoner: Reasoner,
    run: PairRun,
    readout: Readout,
    names: Sequence[KnockoutName],
    width: int,
    seed: int,
    first: int = 0,
    sequences: int = 0,
) -> Iterator[Row]:
    """Knock out attention of the clean runs of a batch, each time with the control.

    Args:
        reasoner: the model.
        run: the clean runs.
        readout: reads the answers.
        names: what to knock out, of what is `applicable`.
        width: layers of a window; 0 knocks out in all layers only.
        seed: seed of random picks and keys.
        first: number of the first knock-out among the interventions of a batch.
        sequences: rows that may run at a time; 0 runs every knock-out alone.

    Yields:
        One row per example, knock-out or control, and window.
    """
    n_layers = reasoner.backbone.n_layers
    cuts = [
        (name, dataclasses.replace(knockout_of(name), random=random, layers=tuple(layers)))
        for name in names
        for layers in windows(n_layers, width)
        for random in (False, True)
    ]
    found = logits_side_by_side(reasoner, run, [cut for _, cut in cuts], seed, sequences)
    for i, ((name, cut), logits) in enumerate(zip(cuts, found, strict=True)):
        query, key = name.split("-")
        slot, layers = f"{query} -/-> {key}", cut.layers or ()
        columns = {
            "kind": CONTROL if cut.random else KNOCK_OUT,
            "component": "attention",
            "layer": layers[0],
            "layers": len(layers),
            "head": None,
            "slot": f"{slot}: {RANDOM_KEYS}" if cut.random else slot,
            "control_of": slot if cut.random else "",
            "query": query,
            "key": key,
            "control": RANDOM if cut.random else "",
        }
        yield from readout.rows(first + i, KNOCKED_OUT, logits, **columns)
        if (i + 1) * len(names) % len(cuts) == 0:
            one_round(run.batch.examples)

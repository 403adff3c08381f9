"""The attention knock-outs of a study: which a model can have, and what they do to its answers.

They act on the clean runs of activation patching. Picks are those of the undisturbed run: what is
knocked out is reading by attention, not the choice of the patches to look at again, which `ablate
--select` changes. Passes before the first one that loses keys are not run again.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import nullcontext

from jaxtyping import Float
from torch import Tensor

from latentlab.patch.cells import RANDOM
from latentlab.patch.readout import KNOCKED_OUT, Readout, Row, answer_logits
from latentlab.patch.runs import PairRun
from latentlab.reasoner import Reasoner
from latentlab.reasoning.knockout import Knockout, knocked_out
from latentlab.reasoning.plan import LatentPlan
from latentlab.study.batches import one_round
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
    reasoner: Reasoner, run: PairRun, knockout: Knockout, layers: Sequence[int], seed: int
) -> Float[Tensor, "batch vocab"]:
    """Logits where the answer begins, under a knock-out; picks stay those of the run."""
    plan, prefix, picks = reasoner.plan, run.prefix, run.state.picks
    if picks is not None and plan.select in ("attention", "bottom"):
        plan = plan.replace(select="given")
        batch = dataclasses.replace(prefix.batch, given_picks=picks)
        prefix = dataclasses.replace(prefix, batch=batch)
    # What a plan's blocked pairs can say is said there, so that the prompt is not hooked.
    said = knockout.plain and len(layers) == reasoner.backbone.n_layers
    if said:
        plan = plan.replace(blocked=(*plan.blocked, (knockout.query, knockout.key)))
    rollout = reasoner.rollout(plan, seed)
    with (
        nullcontext()
        if said
        else knocked_out(rollout, dataclasses.replace(knockout, layers=tuple(layers)))
    ):
        state = run.state if knockout.query == "answer" else rollout.reason(prefix)
        return answer_logits(rollout, state, run.marker)


def knockout_rows(
    reasoner: Reasoner,
    run: PairRun,
    readout: Readout,
    names: Sequence[KnockoutName],
    width: int,
    seed: int,
    first: int = 0,
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

    Yields:
        One row per example, knock-out or control, and window.
    """
    number = first
    for name in names:
        knockout = knockout_of(name)
        query, key = name.split("-")
        slot = f"{query} -/-> {key}"
        for layers in windows(reasoner.backbone.n_layers, width):
            for random in (False, True):
                cut = dataclasses.replace(knockout, random=random)
                logits = logits_without(reasoner, run, cut, layers, seed)
                columns = {
                    "kind": CONTROL if random else KNOCK_OUT,
                    "component": "attention",
                    "layer": layers[0],
                    "layers": len(layers),
                    "head": None,
                    "slot": f"{slot}: {RANDOM_KEYS}" if random else slot,
                    "control_of": slot if random else "",
                    "query": query,
                    "key": key,
                    "control": RANDOM if random else "",
                }
                yield from readout.rows(number, KNOCKED_OUT, logits, **columns)
                number += 1
        one_round(run.batch.examples)

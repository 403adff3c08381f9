"""Which recorded answer the viewer opens on: a right one that needs its latents.

Someone who has never seen the page watches one question being solved, and then solved wrongly
because its latents were exchanged. So the answer is right, turns to another option under the
exchange, and where probes read the walk they read every step of it before, and none after.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from latentlab.ablate.necessity import NEEDED

Plain = Mapping[str, Any]
PROBED = 3
"""Where a step keeps whether its probe is right (`traces.Packed._step`)."""


def opening(examples: Mapping[str, Plain], models: Sequence[Plain]) -> dict[str, Any]:
    """The answer to show first.

    Args:
        examples: what was asked, by identifier.
        models: models as `traces.Packed.model` returns them.

    Returns:
        `model`, `example`, and the `intervention` that turns its answer. The first model that has
        such an answer is taken; without one, the first answer of all and no intervention.
    """
    for model in models:
        arm = next((i for i, arm in enumerate(model["arms"]) if arm["exchange"]), None)
        if arm is None:
            continue
        turned = [trace for trace in model["traces"] if _turns(trace, arm)]
        if turned:
            others = [other for other in models if other is not model]
            best = max(turned, key=lambda trace: _worth(trace, arm, examples, others))
            intervention = model["arms"][arm]["name"]
            return {"model": model["name"], "example": best["id"], "intervention": intervention}
    first = models[0]
    return {"model": first["name"], "example": first["traces"][0]["id"], "intervention": "none"}


def _turns(trace: Plain, arm: int) -> bool:
    """Whether an answer is right left alone, and wrong in another run."""
    return trace["answers"][0]["right"] and not trace["answers"][arm]["right"]


def _worth(
    trace: Plain, arm: int, examples: Mapping[str, Plain], others: Sequence[Plain]
) -> tuple[Any, ...]:
    """How well an answer shows what there is to show; more is better, first things first."""
    before, after = ([trace["pool"][step][PROBED] for step in trace["runs"][i]] for i in (0, arm))
    beside = [other for model in others for other in model["traces"] if other["id"] == trace["id"]]
    return (
        trace["necessity"] == NEEDED,
        examples[trace["id"]]["hops"] or 0,
        before.count(1) - before.count(0),
        len(trace["answers"][arm].get("donor_path", ())) == len(examples[trace["id"]]["path"]),
        trace["answers"][arm]["choice"] is not None,
        after.count(0) - after.count(1),
        sum(other["answers"][0]["right"] for other in beside),
    )

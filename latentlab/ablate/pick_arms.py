"""The arms of an ablation study that change which patches are re-inserted, and how many.

Other picks in as many slots move nothing. With more slots, or fewer, positions are a factor of
their own: a step takes up as many as in training (`LatentPlan.stride`), whatever it appends, or one
for each slot. Random picks are the control of any other choice: they tell whether it matters which
patches are seen, or only how many.
"""

import dataclasses
from collections.abc import Iterable, Sequence

from latentlab.ablate.arms import control, dropped, removed
from latentlab.reasoning.interventions import Replace
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.sources import Placeholder
from latentlab.study.arms import Arm
from latentlab.vocabulary import EMPTY, KNOCK_OUT, SelectionRule

AT_RANDOM = "as many at random"


def k_arms(plan: LatentPlan, counts: Iterable[int], placeholder: bool) -> list[Arm]:
    """Re-insert fewer or more patches, picked by the model's own rule.

    Each number is tried with positions held and closed up (`resized`). The control re-inserts as
    many patches drawn at random. None at all is what `arms.dropped` leaves out.

    Args:
        plan: the model's plan; its own number of patches is passed over.
        counts: numbers of patches at each step.
        placeholder: whether the model has a placeholder token.
    """
    arms = []
    for count in counts:
        arm = Arm("k", strength=count, kind=KNOCK_OUT)
        if count == 0:
            arms += dropped(arm, "latent_vision", placeholder)
        elif count != plan.k:
            arms += resized(arm, plan, plan.replace(k=count), placeholder)
            if plan.select != "random":
                random = _aligned(plan).replace(k=count, select="random")
                arms.append(control(arm, AT_RANDOM, plan=random))
    return arms


def select_arms(
    plan: LatentPlan,
    rules: Sequence[SelectionRule],
    reuse: bool,
    placeholder: bool,
    counts: Sequence[int] = (),
) -> list[Arm]:
    """Pick the patches by another rule, in the same slots at the same positions.

    Where a rule comes with another number of patches, positions are a factor (`resized`). Every
    rule is crossed with every number of patches, and both with re-use. Where random picks are not
    among the rules they are the control; where every patch or none is re-inserted the control
    leaves the slots empty.

    Args:
        plan: the model's plan; what it does anyway is passed over.
        rules: how to pick.
        reuse: whether to let a patch be picked at several steps as well.
        placeholder: whether the model has a placeholder token.
        counts: numbers of patches at each step; without any, the model's own.

    Raises:
        UserError: the model cannot pick by a rule.
    """
    none = Arm("k", strength=0, kind=KNOCK_OUT)
    arms = dropped(none, "latent_vision", placeholder) if 0 in counts else []
    for rule in rules:
        if rule == "none":
            arms += dropped(
                Arm("select", source=rule, kind=KNOCK_OUT), "latent_vision", placeholder
            )
        elif rule == "all":
            arms += _every(plan, placeholder)
        else:
            for count in [count for count in counts or (plan.k,) if count]:
                for again in (False, True) if reuse else (False,):
                    if (rule, count, again) == (plan.select, plan.k, plan.reuse):
                        continue
                    changed = plan.replace(select=rule, k=count, reuse=again)
                    number = count if counts else None
                    source = f"{rule} with reuse" if again else rule
                    arm = Arm(
                        "select", source=source, strength=number, kind=KNOCK_OUT, plan=changed
                    )
                    arms += resized(arm, plan, changed, placeholder)
                    if "random" not in rules:
                        random = _aligned(plan).replace(select="random", k=count, reuse=again)
                        arms.append(control(arm, AT_RANDOM, plan=random))
    return arms


def resized(arm: Arm, plan: LatentPlan, changed: LatentPlan, placeholder: bool) -> list[Arm]:
    """Re-insert otherwise, with positions held and closed up where the number of slots changes.

    Held, a step takes up the positions it had: fewer patches leave a hole, and those beyond the
    last share its position. Closed, every slot has its own and what follows moves. Where there are
    fewer, slots may also be kept: the same rule picks as many as ever, and all but the first are
    left empty. Where there are more, none can be.

    Args:
        arm: what is done, in its fields.
        plan: the model's plan.
        changed: the plan with another rule or number of patches.
        placeholder: whether the model has a placeholder token.
    """
    held = dataclasses.replace(arm, plan=changed.replace(stride=_aligned(plan).stride))
    if changed.k == plan.k and changed.select != "all":
        return [held]
    arms = [
        removed(held, "held", first=True),
        removed(arm, "closed", plan=changed.replace(stride=None)),
    ]
    if placeholder and changed.k < plan.k:
        whole = changed.replace(k=plan.k, stride=plan.stride)
        rest = Replace("latent_vision", Placeholder(first=changed.k))
        arms.append(removed(arm, "kept", plan=whole, interventions=(rest,)))
    return arms


def _every(plan: LatentPlan, placeholder: bool) -> list[Arm]:
    """Re-insert every patch at every step."""
    changed = _aligned(plan).replace(select="all")
    arm = Arm("select", source="all", kind=KNOCK_OUT, plan=changed)
    arms = resized(arm, plan, changed, False)
    if placeholder:
        empty = Replace("latent_vision", Placeholder())
        arms.append(control(arm, EMPTY, plan=changed, interventions=(empty,)))
    return arms


def _aligned(plan: LatentPlan) -> LatentPlan:
    """Fix the number of positions a step takes to what it is without changes."""
    return plan.replace(stride=plan.stride or plan.k + int(plan.text))

"""The arms of an ablation study that change which patches are re-inserted, and how many.

The text slot and everything after a step keep their positions (`LatentPlan.stride`), so what
changes is what is seen and not where it stands. Random picks are the control of any other choice:
they tell whether it matters which patches are seen, or only how many.
"""

from collections.abc import Iterable, Sequence

from latentlab.instruments.ablation.arms import control, dropped
from latentlab.reasoning.interventions import Replace
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.sources import Placeholder
from latentlab.study import Arm
from latentlab.vocabulary import EMPTY, KNOCK_OUT, SelectionRule

AT_RANDOM = "as many at random"


def k_arms(plan: LatentPlan, counts: Iterable[int], placeholder: bool) -> list[Arm]:
    """Re-insert fewer or more patches, picked by the model's own rule.

    The control re-inserts as many patches drawn at random. For none at all it is the control of
    `arms.drop_arms`.

    Args:
        plan: the model's plan; its own number of patches is passed over.
        counts: numbers of patches at each step.
        placeholder: whether the model has a placeholder token.
    """
    arms = []
    for count in counts:
        name = f"k={count}"
        if count == 0:
            arms += dropped(name, "latent_vision", None, placeholder)
        elif count != plan.k:
            changed = _aligned(plan).replace(k=count)
            arms.append(Arm(name, KNOCK_OUT, plan=changed))
            if plan.select != "random":
                arms.append(control(name, AT_RANDOM, changed.replace(select="random")))
    return arms


def select_arms(
    plan: LatentPlan,
    rules: Sequence[SelectionRule],
    reuse: bool,
    placeholder: bool,
    counts: Sequence[int] = (),
) -> list[Arm]:
    """Pick the patches by another rule, in the same slots, at the same positions.

    Every rule is crossed with every number of patches, and both with re-use. Where random picks are
    not among the rules they are the control; where every patch or none is re-inserted the control
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
    arms = dropped("k=0", "latent_vision", None, placeholder) if 0 in counts else []
    for rule in rules:
        if rule == "none":
            arms += dropped("select none", "latent_vision", None, placeholder)
        elif rule == "all":
            arms += _every(plan, placeholder)
        else:
            for count in [count for count in counts or (plan.k,) if count]:
                for again in (False, True) if reuse else (False,):
                    if (rule, count, again) == (plan.select, plan.k, plan.reuse):
                        continue
                    name = f"select {rule}" + (f", k={count}" if counts else "")
                    name += ", with reuse" if again else ""
                    changed = _aligned(plan).replace(select=rule, k=count, reuse=again)
                    arms.append(Arm(name, KNOCK_OUT, plan=changed))
                    if "random" not in rules:
                        arms.append(control(name, AT_RANDOM, changed.replace(select="random")))
    return arms


def _every(plan: LatentPlan, placeholder: bool) -> list[Arm]:
    """Re-insert every patch at every step."""
    changed = _aligned(plan).replace(select="all")
    arms = [Arm("select all", KNOCK_OUT, plan=changed)]
    if placeholder:
        empty = Replace("vision", Placeholder())
        arms.append(control("select all", EMPTY, changed, (empty,)))
    return arms


def _aligned(plan: LatentPlan) -> LatentPlan:
    """Fix the number of positions a step takes to what it is without changes."""
    return plan.replace(stride=plan.stride or plan.k + int(plan.text))

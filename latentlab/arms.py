"""The arms of an ablation study: each thing that can be done to latents, with its matched control.

Everything here happens at inference, on one set of weights; retrained arms are models of their own.
A control answers the question that would otherwise be open: is it the content that was lost, or
would any such disturbance have done the same (`docs/controls.md`)?

Each function makes the arms of one flag. What a model does not have is asked for elsewhere.
"""

from collections.abc import Iterable, Sequence

from latentlab.reasoning.interventions import Drop, Intervention, Part, PromptReplace, Replace
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.sources import (
    Bank,
    Constant,
    Given,
    Mean,
    Noise,
    Other,
    Placeholder,
    Source,
    Zero,
)
from latentlab.study import Arm
from latentlab.vocabulary import CONTROL, KNOCK_OUT, LatentPart, Replacement, SelectionRule

PARTS: dict[LatentPart, Part] = {
    "latent_text": "text",
    "latent_vision": "vision",
    "latent": "both",
}

EMPTY = "slots kept, empty"
AT_RANDOM = "as many at random"

Steps = tuple[int, ...] | None
"""Latent steps at which something is done, counted from 0; None means all."""


def drop_arms(parts: Iterable[LatentPart], steps: Steps, placeholder: bool) -> list[Arm]:
    """Leave parts out; every later position keeps its id.

    The control keeps the slots and puts the placeholder token into them. It tells whether the
    content is missed or the positions to compute in: if both lose the same, it is the content; if
    only leaving the slots out hurts, it is the positions.

    Args:
        parts: what to drop, one arm each.
        steps: at which steps.
        placeholder: whether the model has a placeholder token; without, there is no control.
    """
    return [
        arm
        for part in parts
        for arm in _dropped(f"drop {part}{_at(steps)}", part, steps, placeholder)
    ]


def replace_arms(
    plan: LatentPlan,
    replacements: Iterable[Replacement],
    parts: Iterable[LatentPart],
    steps: Steps,
    bank: Bank,
    sigmas: Sequence[float],
    patches: int,
) -> list[Arm]:
    """Overwrite parts.

    Two controls. The sham puts each latent's own value back: it goes through all the motions and
    must read exactly 0, or the instrument itself does something. The same replacement on as many
    ordinary prompt positions tells whether the latents are special: if it hurts as much, the model
    is merely sensitive to such vectors anywhere.

    Args:
        plan: the model's plan, for the number of slots.
        replacements: what to put into the slots.
        parts: whose slots.
        steps: at which steps.
        bank: reference rollouts for means, deviations and donors.
        sigmas: strengths of the noise.
        patches: how many the smallest picture has, for plans that re-insert every one.
    """
    arms = []
    for part in parts:
        for label, source in _sources(replacements, bank, sigmas):
            name = f"{label} {part}{_at(steps)}"
            new = Replace(PARTS[part], source, steps)
            edit = PromptReplace(source, _slots(plan, part, steps, patches))
            arms.append(Arm(name, KNOCK_OUT, interventions=(new,)))
            arms.append(_control(name, "on as many prompt positions", prompt_edits=(edit,)))
        own = Replace(PARTS[part], Given(), steps)
        arms.append(Arm(f"sham {part}{_at(steps)}", CONTROL, interventions=(own,)))
    return arms


def step_arms(plan: LatentPlan, counts: Iterable[int], placeholder: bool) -> list[Arm]:
    """Take fewer or more latent steps; the answer moves up or back, as it did in training.

    The control takes the larger number of steps and leaves those that make the difference empty. It
    tells whether the difference is due to what the steps hold, or to how many there are and where
    the answer stands.

    Args:
        plan: the model's plan; its own number of steps is passed over.
        counts: numbers of steps.
        placeholder: whether the model has a placeholder token; without, there is no control.
    """
    arms = []
    for count in counts:
        if count == plan.steps:
            continue
        name = f"steps={count}"
        fewer, more = sorted((count, plan.steps))
        arms.append(Arm(name, KNOCK_OUT, plan=plan.replace(steps=count)))
        if placeholder:
            empty = Replace("both", Placeholder(), tuple(range(fewer, more)))
            longer = plan.replace(steps=more)
            arms.append(_control(name, "the difference empty", longer, (empty,)))
    return arms


def k_arms(plan: LatentPlan, counts: Iterable[int], placeholder: bool) -> list[Arm]:
    """Re-insert fewer or more patches.

    The text slot and everything after a step keep their positions (`LatentPlan.stride`), so what
    changes is what is seen and not where it stands. The control re-inserts as many patches drawn at
    random: it tells whether it matters which patches are seen, or only how many. For none at all it
    is the control of `drop_arms`.
    """
    arms = []
    for count in counts:
        name = f"k={count}"
        if count == 0:
            arms += _dropped(name, "latent_vision", None, placeholder)
        elif count != plan.k:
            changed = _aligned(plan).replace(k=count)
            arms.append(Arm(name, KNOCK_OUT, plan=changed))
            if plan.select != "random":
                arms.append(_control(name, AT_RANDOM, changed.replace(select="random")))
    return arms


def select_arms(
    plan: LatentPlan, rules: Sequence[SelectionRule], reuse: bool, placeholder: bool
) -> list[Arm]:
    """Pick the patches by another rule: as many, in the same slots, at the same positions.

    Random picks are the control of any other choice: they tell whether it matters which patches are
    seen. Where every patch or none is re-inserted the control leaves the slots empty.

    Args:
        plan: the model's plan; its own rule is passed over.
        rules: how to pick.
        reuse: whether a patch may be picked at several steps.
        placeholder: whether the model has a placeholder token.
    """
    arms = []
    for rule in rules:
        if picks_by(plan, rule, reuse):
            continue
        if rule == "none":
            arms += _dropped("select none", "latent_vision", None, placeholder)
            continue
        again = reuse and rule != "all"
        name = f"select {rule}{', with reuse' if again else ''}"
        changed = _aligned(plan).replace(select=rule, reuse=again)
        arms.append(Arm(name, KNOCK_OUT, plan=changed))
        if rule == "all" and placeholder:
            empty = Replace("vision", Placeholder())
            arms.append(_control(name, EMPTY, changed, (empty,)))
        elif rule in ("attention", "bottom") and "random" not in rules:
            arms.append(_control(name, AT_RANDOM, changed.replace(select="random")))
    return arms


def picks_by(plan: LatentPlan, rule: SelectionRule, reuse: bool) -> bool:
    """Whether a plan picks by a rule as it is."""
    return rule == plan.select and (reuse == plan.reuse or rule == "all")


def _control(
    arm: str,
    what: str,
    plan: LatentPlan | None = None,
    interventions: tuple[Intervention, ...] = (),
    prompt_edits: tuple[PromptReplace, ...] = (),
) -> Arm:
    """The matched control of an arm, named after it."""
    return Arm(f"{arm}: {what}", CONTROL, arm, plan, interventions, prompt_edits)


def _dropped(name: str, part: LatentPart, steps: Steps, placeholder: bool) -> list[Arm]:
    """Leave a part out, with the control that keeps its slots."""
    arms = [Arm(name, KNOCK_OUT, interventions=(Drop(PARTS[part], steps),))]
    if placeholder:
        empty = Replace(PARTS[part], Placeholder(), steps)
        arms.append(_control(name, EMPTY, interventions=(empty,)))
    return arms


def _at(steps: Steps) -> str:
    """Name the steps an arm is restricted to, counted from 1."""
    return "" if steps is None else " at step " + "+".join(str(step + 1) for step in steps)


def _slots(plan: LatentPlan, part: LatentPart, steps: Steps, patches: int) -> int:
    """How many positions a part takes up over the chosen steps."""
    if plan.select == "all" and part != "latent_text":
        return patches  # more than that, and some prompt may not have as many
    text, vision = int(plan.text), plan.k
    per_step = {"latent_text": text, "latent_vision": vision, "latent": text + vision}
    return per_step[part] * (plan.steps if steps is None else len(steps))


def _aligned(plan: LatentPlan) -> LatentPlan:
    """Fix the number of positions a step takes to what it is without changes."""
    return plan.replace(stride=plan.stride or plan.k + int(plan.text))


def _sources(
    replacements: Iterable[Replacement], bank: Bank, sigmas: Sequence[float]
) -> list[tuple[str, Source]]:
    """Name and source of each replacement; noise once for each sigma."""
    plain: dict[str, Source] = {
        "zero": Zero(),
        "mean": Mean(bank),
        "constant": Constant(bank),
        "other": Other(bank),
        "placeholder": Placeholder(),
    }
    named: list[tuple[str, Source]] = []
    for replacement in replacements:
        if replacement == "noise":
            named += [(f"noise {sigma:g}", Noise(bank, sigma)) for sigma in sigmas]
        else:
            named.append((replacement, plain[replacement]))
    return named

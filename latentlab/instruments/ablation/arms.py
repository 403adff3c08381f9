"""The arms of an ablation study: each thing that can be done to latents, with its matched control.

Everything here happens at inference, on one set of weights; retrained arms are models of their own.
A control answers the question that would otherwise be open: is it the content that was lost, or
would any such disturbance have done the same (`docs/controls.md`)?

Each function makes the arms of one flag; those of the patches are in `pick_arms.py`. What a model
does not have is asked for elsewhere.
"""

import dataclasses
from collections.abc import Iterable, Sequence

from latentlab.reasoning.interventions import Drop, Intervention, Part, PromptReplace, Replace
from latentlab.reasoning.noise import MatchedNoise, Noise, UnitNoise
from latentlab.reasoning.orders import Reordered
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.rationale import RationaleEdit, Rationales
from latentlab.reasoning.sources import (
    Bank,
    Constant,
    Given,
    Mean,
    Other,
    Placeholder,
    Source,
    Zero,
)
from latentlab.study import Arm
from latentlab.vocabulary import (
    CONTROL,
    EMPTY,
    KNOCK_OUT,
    LatentPart,
    Replacement,
    WordReplacement,
)

PARTS: dict[LatentPart, Part] = {
    "latent_text": "text",
    "latent_vision": "vision",
    "latent": "both",
}

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
        for arm in dropped(f"drop {part}{_at(steps)}", part, steps, placeholder)
    ]


def replace_arms(
    plan: LatentPlan,
    replacements: Iterable[Replacement],
    parts: Iterable[LatentPart],
    steps: Steps,
    bank: Bank,
    sigmas: Sequence[float],
    patches: int,
    keep_norm: bool = False,
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
        sigmas: strengths of the noise that is added.
        patches: how many the smallest picture has, for plans that re-insert every one.
        keep_norm: whether added noise leaves the norm as it was.
    """
    moved = tuple(range(plan.steps)) if steps is None else steps
    arms = []
    for part in parts:
        for label, source in _sources(replacements, bank, sigmas, keep_norm, moved):
            name = f"{label} {part}{_at(steps)}"
            new = Replace(PARTS[part], source, steps)
            edit = PromptReplace(source, _slots(plan, part, steps, patches))
            arms.append(Arm(name, KNOCK_OUT, interventions=(new,)))
            arms.append(control(name, "on as many prompt positions", prompt_edits=(edit,)))
        own = Replace(PARTS[part], Given(), steps)
        arms.append(Arm(f"sham {part}{_at(steps)}", CONTROL, interventions=(own,)))
    return arms


def rationale_arms(
    drop: bool, replacements: Iterable[WordReplacement], donors: Rationales | None, blank: int
) -> list[Arm]:
    """Edit the words that a model writes before its answer: does the test see a use that is there?

    Leaving all words out has the same control as leaving out latents: as many tokens without
    content. The sham puts the model's own words back, token by token, and must read exactly 0.

    Args:
        drop: whether to leave the rationale out, so that the answer comes at once.
        replacements: what to put in its place.
        donors: rationales of other examples, where they are asked for.
        blank: the token without content.
    """
    arms = []
    if drop:
        empty = RationaleEdit("placeholder", blank=blank)
        arms += [
            Arm("drop rationale", KNOCK_OUT, rationale=RationaleEdit("drop")),
            dataclasses.replace(control("drop rationale", EMPTY), rationale=empty),
        ]
    for how in replacements:
        edit = RationaleEdit(how, donors, blank)
        arms.append(Arm(f"{how} rationale", KNOCK_OUT, rationale=edit))
    return [*arms, Arm("sham rationale", CONTROL, rationale=RationaleEdit("own"))]


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
            arms.append(control(name, "the difference empty", longer, (empty,)))
    return arms


def repeated(arms: Iterable[Arm], draws: int) -> list[Arm]:
    """Run every arm in which something is drawn at random as often as asked, drawn anew each time.

    Draws of an arm share its name. Picks of the model's own that are random stay the same, so that
    they do not differ from those of the untouched arm.
    """
    return [_drawn(arm, draw) for arm in arms for draw in range(draws if _is_random(arm) else 1)]


def control(
    arm: str,
    what: str,
    plan: LatentPlan | None = None,
    interventions: tuple[Intervention, ...] = (),
    prompt_edits: tuple[PromptReplace, ...] = (),
) -> Arm:
    """The matched control of an arm, named after it."""
    return Arm(f"{arm}: {what}", CONTROL, arm, plan, interventions, prompt_edits)


def dropped(name: str, part: LatentPart, steps: Steps, placeholder: bool) -> list[Arm]:
    """Leave a part out, with the control that keeps its slots."""
    arms = [Arm(name, KNOCK_OUT, interventions=(Drop(PARTS[part], steps),))]
    if placeholder:
        empty = Replace(PARTS[part], Placeholder(), steps)
        arms.append(control(name, EMPTY, interventions=(empty,)))
    return arms


def _is_random(arm: Arm) -> bool:
    """Whether another seed would give other rows."""
    sources = [edit.source for edit in arm.interventions if isinstance(edit, Replace)]
    return bool(
        any(isinstance(source, (Noise, MatchedNoise, UnitNoise, Other)) for source in sources)
        or any(isinstance(source, Reordered) and source.how == "permute" for source in sources)
        or arm.prompt_edits  # their positions are drawn
        or (arm.plan is not None and arm.plan.select == "random")
        or (arm.rationale is not None and arm.rationale.how in ("other", "permute"))
    )


def _drawn(arm: Arm, draw: int) -> Arm:
    """One draw of an arm and of all its edits."""
    if not draw:
        return arm
    edits = [
        dataclasses.replace(edit, draw=draw) if isinstance(edit, Replace) else edit
        for edit in arm.interventions
    ]
    return dataclasses.replace(
        arm,
        draw=draw,
        interventions=tuple(edits),
        prompt_edits=tuple(dataclasses.replace(edit, draw=draw) for edit in arm.prompt_edits),
        rationale=arm.rationale and dataclasses.replace(arm.rationale, draw=draw),
    )


def _at(steps: Steps) -> str:
    """Name the steps an arm is restricted to, counted from 1."""
    return "" if steps is None else " at step " + "+".join(str(step + 1) for step in steps)


def _slots(plan: LatentPlan, part: LatentPart, steps: Steps, patches: int) -> int:
    """How many positions a part takes up over the chosen steps."""
    if plan.select == "all" and part != "latent_text":
        return patches  # more than that, and some prompt may not have as many
    text, vision = int(plan.has_text), plan.k
    per_step = {"latent_text": text, "latent_vision": vision, "latent": text + vision}
    return per_step[part] * (plan.steps if steps is None else len(steps))


def _sources(
    replacements: Iterable[Replacement],
    bank: Bank,
    sigmas: Sequence[float],
    keep_norm: bool,
    steps: tuple[int, ...],
) -> list[tuple[str, Source]]:
    """Name and source of each replacement; added noise once for each sigma."""
    plain: dict[str, Source] = {
        "zero": Zero(),
        "mean": Mean(bank),
        "constant": Constant(bank),
        "matched_noise": MatchedNoise(bank),
        "unit_noise": UnitNoise(),
        "other": Other(bank),
        "permute": Reordered("permute", steps),
        "reverse": Reordered("reverse", steps),
        "first": Reordered("first", steps),
        "placeholder": Placeholder(),
    }
    noise = "norm-kept noise" if keep_norm else "noise"
    named: list[tuple[str, Source]] = []
    for replacement in replacements:
        if replacement == "noise":
            named += [(f"{noise} {sigma:g}", Noise(bank, sigma, keep_norm)) for sigma in sigmas]
        else:
            named.append((replacement, plain[replacement]))
    return named

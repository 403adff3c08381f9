"""The arms of an ablation study: each thing that can be done to latents, with its matched control.

Everything here happens at inference, on one set of weights; retrained arms are models of their own.
A control answers the question that would otherwise be open: is it the content that was lost, or
would any such disturbance have done the same (`docs/controls.md`)?

Each function makes the arms of one flag; those that replace latents are in `replace_arms.py`, those
of the patches in `pick_arms.py`. What a model does not have is asked for elsewhere.
"""

import dataclasses
from collections.abc import Iterable
from typing import Any

from latentlab.reasoning.donors import Donors
from latentlab.reasoning.interventions import Drop, Replace
from latentlab.reasoning.noise import MatchedNoise, Noise, NormMatched, UnitNoise
from latentlab.reasoning.off_walk import OffWalk
from latentlab.reasoning.orders import Reordered
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.sources import Given, Placeholder, Resample
from latentlab.study.arms import Arm
from latentlab.study.rationale import RationaleEdit, Rationales
from latentlab.vocabulary import (
    CONTROL,
    KNOCK_OUT,
    POSITION_ARMS,
    LatentPart,
    PositionRule,
    StepContext,
    WordReplacement,
)

Steps = tuple[int, ...] | None
"""Latent steps at which something is done, counted from 1; None means all."""

RANDOM = (Noise, MatchedNoise, NormMatched, UnitNoise, OffWalk, Resample)
"""Sources in which something is drawn at random."""


def drop_arms(parts: Iterable[LatentPart], steps: Steps, placeholder: bool) -> list[Arm]:
    """Leave parts out, in each of the ways that positions may take it (`dropped`).

    Args:
        parts: what to drop, one arm each.
        steps: at which steps.
        placeholder: whether the model has a placeholder token, to leave slots empty.
    """
    return [
        arm
        for part in parts
        for arm in dropped(Arm("drop", part, steps, kind=KNOCK_OUT), part, placeholder)
    ]


def rationale_arms(
    drop: bool,
    replacements: Iterable[WordReplacement],
    rationales: Rationales | None,
    donors: Donors | None,
    blank: int,
) -> list[Arm]:
    """Edit the words that a model writes before its answer: does the test see a use that is there?

    Positions are a factor as where latents are left out: the answer comes at once, or where it
    would have stood, or after as many tokens without content. The sham puts the model's own words
    back, token by token, and must read exactly 0.

    Args:
        drop: whether to leave the rationale out, so that the answer comes at once.
        replacements: what to put in its place.
        rationales: those of reference examples, where another example's is asked for.
        donors: who gets whose.
        blank: the token without content.
    """
    arms = []
    if drop:
        ways: dict[PositionRule, RationaleEdit] = {
            "closed": RationaleEdit("drop"),
            "held": RationaleEdit("drop", held=True),
            "kept": RationaleEdit("placeholder", blank=blank),
        }
        whole = Arm("drop", "rationale", kind=KNOCK_OUT)
        arms += [
            removed(whole, rule, rule == "closed", rationale=edit) for rule, edit in ways.items()
        ]
    for how in replacements:
        edit = RationaleEdit(how, rationales, donors, blank)
        arms.append(Arm("replace", "rationale", source=how, kind=KNOCK_OUT, rationale=edit))
    own = RationaleEdit("own")
    return [*arms, Arm("sham", "rationale", kind=CONTROL, rationale=own)]


def step_arms(plan: LatentPlan, counts: Iterable[int], placeholder: bool) -> list[Arm]:
    """Take fewer or more latent steps; the answer moves up or back, as it did in training.

    Where steps are taken away positions are a factor: the answer moves up, or stays where it was.
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
        fewer, more = sorted((count, plan.steps))
        removes, last = count < plan.steps, tuple(range(fewer + 1, more + 1))
        arm = Arm("steps", strength=count, kind=KNOCK_OUT)
        changed = plan.replace(steps=count)
        if removes:
            arms.append(removed(arm, "closed", first=True, plan=changed))
            arms.append(removed(arm, "held", interventions=(Drop("latent", last),)))
        else:
            arms.append(dataclasses.replace(arm, plan=changed))
        if placeholder:
            longer, empty = plan.replace(steps=more), Replace("latent", Placeholder(), last)
            kept = control(arm, "the difference empty", plan=longer, interventions=(empty,))
            arms.append(dataclasses.replace(kept, positions="kept" if removes else None))
    return arms


def repeated(arms: Iterable[Arm], draws: int) -> list[Arm]:
    """Run every arm in which something is drawn at random as often as asked, drawn anew each time.

    Draws of an arm share its name. Picks of the model's own that are random stay the same, so that
    they do not differ from those of the untouched arm.
    """
    made = []
    for arm in arms:
        times = draws if _is_random(arm) else 1
        made += [_drawn(arm, draw, times) for draw in range(times)]
    return made


def control(arm: Arm, what: str, **changes: Any) -> Arm:
    """The matched control of an arm, which does something else.

    Args:
        arm: the arm.
        what: what is different.
        changes: what it does, as fields of `Arm`.
    """
    done: dict[str, Any] = {"plan": None, "interventions": (), "prompt_edits": ()}
    return dataclasses.replace(arm, kind=CONTROL, control=what, **(done | changes))


def dropped(arm: Arm, part: LatentPart, placeholder: bool) -> list[Arm]:
    """Leave a part out: with positions held, with positions closed up, and with its slots empty.

    A model may be sensitive to a hole in its positions, to an answer that has moved, and to slots
    that hold nothing it knows. The content is missing in all three, so only what they agree on is
    about the content.

    Args:
        arm: what is done, in its fields.
        part: what is left out.
        placeholder: whether the model has a placeholder token; without, no slots can be empty.
    """
    held, closed = (Drop(part, arm.steps, closed) for closed in (False, True))
    arms = [
        removed(arm, "held", first=True, interventions=(held,)),
        removed(arm, "closed", interventions=(closed,)),
    ]
    if placeholder:
        empty = Replace(part, Placeholder(), arm.steps)
        arms.append(removed(arm, "kept", interventions=(empty,)))
    return arms


def frozen(arm: Arm, plan: LatentPlan) -> Arm:
    """The same in a fixed context: every latent that the arm leaves alone is held.

    At all other steps the example's own undisturbed latents are put back, so that only what is done
    at the chosen ones can tell. They are held as they are appended; what layers make of them
    in their slots may still depend on the steps before.

    Args:
        arm: an arm that acts at some of the steps, or on the prompt, where every step is held.
        plan: the model's plan.
    """
    acts = {step for edit in arm.interventions for step in getattr(edit, "steps", None) or ()}
    rest = tuple(step for step in range(1, plan.steps + 1) if step not in acts)
    held = Replace("latent", Given(), rest)
    return dataclasses.replace(arm, interventions=(*arm.interventions, held), context="frozen")


def in_contexts(
    arms: Iterable[Arm], contexts: Iterable[StepContext], plan: LatentPlan
) -> list[Arm]:
    """Arms that act at some of the steps, with the others remade or frozen, side by side."""
    made, contexts = list(arms), list(contexts)
    if not contexts:
        return made
    remade = [dataclasses.replace(arm, context="remade") for arm in made]
    every = {"remade": remade, "frozen": [frozen(arm, plan) for arm in made]}
    return [arm for context in contexts for arm in every[context]]


def removed(arm: Arm, positions: PositionRule, first: bool = False, **changes: Any) -> Arm:
    """One of the arms that remove the same and differ in what becomes of positions.

    Args:
        arm: what is removed.
        positions: what becomes of positions.
        first: whether this arm has the name, and the others are named after it.
        changes: what it does, as fields of `Arm`.
    """
    return dataclasses.replace(
        arm,
        kind=CONTROL if positions == "kept" else KNOCK_OUT,
        control="" if first else POSITION_ARMS[positions],
        positions=positions,
        **changes,
    )


def _is_random(arm: Arm) -> bool:
    """Whether another seed would give other rows."""
    sources = [edit.source for edit in arm.interventions if isinstance(edit, Replace)]
    return bool(
        any(isinstance(source, RANDOM) for source in sources)
        or any(isinstance(source, Reordered) and source.how == "permute" for source in sources)
        or arm.prompt_edits  # their positions are drawn
        or (arm.plan is not None and arm.plan.select == "random")
        or (arm.rationale is not None and arm.rationale.how in ("other", "permute"))
    )


def _drawn(arm: Arm, draw: int, draws: int) -> Arm:
    """One draw of an arm and of all its edits."""
    if not draw:
        return dataclasses.replace(arm, draws=draws)
    edits = [
        dataclasses.replace(edit, draw=draw) if isinstance(edit, Replace) else edit
        for edit in arm.interventions
    ]
    return dataclasses.replace(
        arm,
        draws=draws,
        draw=draw,
        interventions=tuple(edits),
        prompt_edits=tuple(dataclasses.replace(edit, draw=draw) for edit in arm.prompt_edits),
        rationale=arm.rationale and dataclasses.replace(arm.rationale, draw=draw),
    )

"""In which mode each model of a run is read: in latents, in words, or without any steps.

Models of all modes go through one command, so that they can be laid side by side. One that
re-inserts patches is its own control: it is read again with others in their place, with none in the
slots, without the slots, or with slots that take no positions. What a model or the data lack is
found before anything is run.
"""

from collections.abc import Sequence
from typing import Any

import torch

from latentlab.attention.config import AttentionConfig
from latentlab.attention.summary import CONTROLS, RANDOM_PICKS
from latentlab.data import Example, Examples
from latentlab.errors import UserError
from latentlab.reasoner import Reasoner
from latentlab.reasoning.interventions import Drop, Intervention, Replace
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.selection import check_patches
from latentlab.reasoning.sources import Placeholder
from latentlab.study.batches import batches
from latentlab.study.identity import group_columns
from latentlab.study.instrument import Subject
from latentlab.study.picks import fewest_patches
from latentlab.study.steps import one_call
from latentlab.vocabulary import VisionRun

ModeRun = tuple[Reasoner, VisionRun]
"""A model as it is to be read, and what becomes of its re-inserted patches."""

Columns = dict[str, Any]
"""Columns of some rows: a value, or one a row."""

EDITS: dict[VisionRun, tuple[Intervention, ...]] = {
    "own": (),
    "random": (),
    "packed": (),
    "kept": (Replace("latent_vision", Placeholder()),),
    "held": (Drop("latent_vision"),),
    "closed": (Drop("latent_vision", closed=True),),
}
"""What is done to the latents; random picks and packed slots are a matter of the plan."""


def mode_of(reasoner: Reasoner, vision: VisionRun = "own") -> str:
    """How a model reasons: `latent`, `explicit` (in words), or `plain` where it takes no steps.

    What becomes of its re-inserted patches is said after a comma, as in `latent, random picks`.
    """
    plan = reasoner.plan
    if not plan.steps:
        return "plain"
    mode = "explicit" if plan.in_words else "latent"
    drawn = plan.has_vision and plan.select == "random"
    control = RANDOM_PICKS if drawn else CONTROLS.get(vision, "")
    return f"{mode}, {control}" if control else mode


def identity(
    config: AttentionConfig, reasoner: Reasoner, asked: Sequence[Example], vision: VisionRun
) -> dict[str, Any]:
    """The columns that say whose row it is, and in which run."""
    return {
        **group_columns(asked),
        "model": reasoner.name,
        "data": config.data,
        "mode": mode_of(reasoner, vision),
        "vision": vision if reasoner.plan.steps and reasoner.plan.has_vision else "",
        "example": [example.id for example in asked],
        **{
            name: [getattr(example, name) for example in asked]
            for name in ("domain", "topic", "hops", "question_type")
        },
    }


def with_plan(reasoner: Reasoner, plan: LatentPlan) -> Reasoner:
    """The same model under another plan."""
    return Reasoner(
        reasoner.backbone, plan, reasoner.prompter, reasoner.placeholder_id, reasoner.name
    )


def in_words(reasoner: Reasoner, steps: int) -> Reasoner:
    """The same model, told to write so many steps in words before its answer.

    Raises:
        UserError: the model was trained to reason in latents, or there are no steps to write.
    """
    plan = reasoner.plan
    if plan.in_words and plan.steps:
        return reasoner
    if plan.steps:
        raise UserError(f"--explicit {reasoner.name}: it reasons in latents and not in words")
    if not steps:
        raise UserError(
            f"--explicit {reasoner.name}: nothing says how many steps it is to write; name a model "
            "with latent steps beside it"
        )
    words = plan.replace(content="words", part_order="text_vision", text=True, steps=steps, k=0)
    return with_plan(reasoner, words)


def at_random(reasoner: Reasoner) -> Reasoner | None:
    """The same model with random picks; None if it picks nothing, or at random anyway."""
    plan = reasoner.plan
    if not plan.steps or not plan.has_vision or plan.select not in ("attention", "bottom", "given"):
        return None
    return with_plan(reasoner, plan.replace(select="random"))


def prepare(config: AttentionConfig, subject: Subject) -> list[ModeRun] | None:
    """Make one model ready to be read in its mode, and its controls.

    Raises:
        UserError: the model cannot be read in its mode.
    """
    reasoner, examples = subject.reasoner, subject.examples
    if not one_call(subject, "attention readings"):
        return None
    if not any(example.image is not None for example in examples):
        raise UserError(f"{config.data}: no question has a picture, so there is nothing to look at")
    if subject.given in config.explicit:
        latent = [model for name, model in subject.models.items() if name not in config.explicit]
        steps = max((model.plan.steps for model in latent), default=0)
        if latent and not steps:
            # Any model has attention to read; there is only nothing to set beside it.
            subject.tell(
                f"--explicit {subject.given}: no model says how many steps to write; passed over"
            )
            return None
        reasoner = in_words(reasoner, steps)
    if lacking := _lacking(reasoner, examples, config.batch_size):
        subject.lacks(lacking)
        return None
    made = [_run(config, (reasoner, vision), subject) for vision in config.vision]
    return [run for run in made if run is not None]


def _run(config: AttentionConfig, run: ModeRun, subject: Subject) -> ModeRun | None:
    """A run made ready; None where a model has no such control."""
    reasoner, vision = run
    plan = reasoner.plan
    if vision == "own":
        return run
    if not plan.steps or not plan.has_vision:
        return None
    if vision == "random":
        control = at_random(reasoner)
        lacking = control and _lacking(control, subject.examples, config.batch_size)
        if lacking:
            subject.tell(f"no control with random picks for {lacking}")
        return None if control is None or lacking else (control, vision)
    if vision == "kept":
        if reasoner.placeholder_id is None:
            subject.tell(f"{reasoner.name} has no placeholder token for empty slots; passed over")
        return None if reasoner.placeholder_id is None else run
    if not plan.text:
        subject.tell(f"{reasoner.name} appends patches alone: {CONTROLS[vision]} is passed over")
        return None
    return run if vision != "packed" else (with_plan(reasoner, plan.replace(stride=1)), vision)


def _lacking(reasoner: Reasoner, examples: Examples, batch_size: int) -> str:
    """What a model's steps need that the data do not have, in one line; empty if nothing."""
    plan = reasoner.plan
    if plan.lead:
        return (
            f"attention is read from the end of the prompt on, and {reasoner.name} opens its block "
            "of latent steps itself; give it lead=0 by --plan"
        )
    if not plan.steps or not plan.has_vision:
        return ""
    try:
        if plan.select == "given":
            # Tokenizing looks up the trace of each example.
            for numbered in batches(examples, batch_size):
                reasoner.prompter.batch([example for _, example in numbered], plan)
        else:
            patches, example = fewest_patches(reasoner, examples)
            check_patches(plan, [example], torch.tensor([patches]), None)
    except UserError as error:
        return f"{reasoner.name}: {error}"
    return ""

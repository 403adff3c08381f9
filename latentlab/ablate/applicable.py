"""Which flags of the ablation apply to a model, and the arms that follow from them.

Models differ in what they have, and one command asks several of them. What a model lacks is told to
the caller, who decides whether that ends the command.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from latentlab.ablate import pick_arms
from latentlab.ablate.arms import Steps
from latentlab.ablate.config import AblateConfig
from latentlab.errors import UserError
from latentlab.reasoning.plan import LatentPlan
from latentlab.vocabulary import (
    LatentPart,
    Replacement,
    SelectionRule,
    StepContext,
    WordReplacement,
)

Lacking = Callable[[str], None]
"""Told, in one line each, what a model does not have."""


@dataclass(frozen=True)
class Applicable:
    """What of the flags applies to one model."""

    drop: tuple[LatentPart, ...] = ()
    """Parts to leave out."""

    overwrite: tuple[LatentPart, ...] = ()
    """Parts to overwrite."""

    replace: tuple[Replacement, ...] = ()
    """What to overwrite them with."""

    at: tuple[Steps, ...] = (None,)
    """At which steps, one set of arms each; counted from 1, None means all."""

    contexts: tuple[StepContext, ...] = ()
    """What the other steps hold; empty where all steps are acted on."""

    steps: tuple[int, ...] = ()
    """Numbers of latent steps."""

    k: tuple[int, ...] = ()
    """Numbers of re-inserted patches."""

    select: tuple[SelectionRule, ...] = ()
    """Rules to pick patches by."""

    evidence: bool = False
    """Whether to blank what a hop needs and see if latents supply it."""

    drop_words: bool = False
    """Whether to leave the rationale out."""

    words: tuple[WordReplacement, ...] = ()
    """What to replace the rationale with."""

    def __bool__(self) -> bool:
        """Whether anything is left to do."""
        latents = (self.drop, self.overwrite, self.steps, self.k, self.select, self.evidence)
        return any(latents) or self.in_words

    def without(self, how: Replacement) -> "Applicable":
        """The same but for one replacement; nothing is overwritten where it was the only one."""
        left = tuple(one for one in self.replace if one != how)
        overwrite = self.overwrite if left else ()
        return dataclasses.replace(self, replace=left, overwrite=overwrite)

    @property
    def in_words(self) -> bool:
        """Whether a rationale is edited."""
        return self.drop_words or bool(self.words)


def applicable(config: AblateConfig, plan: LatentPlan, name: str, lacking: Lacking) -> Applicable:
    """Find out which of the flags apply to a model.

    Args:
        config: the flags.
        plan: the model's plan.
        name: its name, for messages.
        lacking: told what the model does not have.
    """
    in_words = "rationale" in (*config.drop, *config.part)
    if not plan.steps:
        if in_words:
            return _fit_words(config, name, lacking)
        lacking(
            f"{name} takes no latent steps, so there is nothing to ablate but its words "
            "(--drop rationale, or --part rationale)"
        )
        return Applicable()
    if in_words and not plan.in_words:
        lacking(f"rationale: {name} reasons in latent steps and not in words")
    for flag, asked in (("--drop", config.drop), ("--part", config.part)):
        for part in asked:
            if part != "rationale" and not plan.has_part(part):
                lacking(f"{flag} {part}: {name} has none")
    # Both together are asked for even if there is but one, so that models can be compared.
    every: tuple[LatentPart, ...] = get_args(LatentPart)
    parts = tuple(part for part in every if plan.has_part(part))
    drop = config.drop or (() if config.anything else parts)
    overwrite = config.part or (parts if config.replace else ())
    at, contexts = _fit_steps(config, plan, name, lacking)
    moved = max((_every(plan) if one is None else one for one in at), key=len, default=())
    idle = {
        "permute": len(moved) < 2,
        "reverse": len(moved) < 2,
        "first": moved == (1,) and len(at) == 1,
    }
    for how in config.replace:
        if idle.get(how):
            lacking(f"--replace {how}: it takes another step of {name} than this to do anything")
    replace = tuple(how for how in config.replace if not idle.get(how))
    if "off_walk" in replace and "latent_vision" not in overwrite:
        lacking(f"--replace off_walk: it is for the re-inserted patches of {name} (latent_vision)")
        replace = tuple(how for how in replace if how != "off_walk")
    k, select = _fit_picks(config, plan, name, lacking)
    words = _words(config, name, lacking) if plan.in_words else ()
    return Applicable(
        drop=tuple(part for part in parts if part in drop) if at else (),
        overwrite=tuple(part for part in parts if part in overwrite) if at and replace else (),
        replace=replace,
        at=at,
        contexts=contexts,
        steps=tuple(n for n in config.step_counts if n != plan.steps),
        k=k,
        select=select,
        evidence=config.mask_evidence and not plan.in_words,
        drop_words=plan.in_words and "rationale" in config.drop,
        words=words,
    )


def _fit_words(config: AblateConfig, name: str, lacking: Lacking) -> Applicable:
    """What applies to a model that reasons in words."""
    for flag, asked in (("--drop", config.drop), ("--part", config.part)):
        for part in asked:
            if part != "rationale":
                lacking(f"{flag} {part}: {name} has none")
    if config.at or config.steps or config.k or config.select or config.mask_evidence:
        lacking(f"--at, --steps, --k, --select and --mask-evidence: {name} takes no latent steps")
    words = _words(config, name, lacking)
    return Applicable(drop_words="rationale" in config.drop, words=words)


def _words(config: AblateConfig, name: str, lacking: Lacking) -> tuple[WordReplacement, ...]:
    """What the rationale is replaced with."""
    known: tuple[WordReplacement, ...] = get_args(WordReplacement)
    asked_for = config.replace if "rationale" in config.part else ()
    for how in asked_for:
        if how not in known:
            lacking(f"--replace {how}: {name} reasons in words, which take {', '.join(known)}")
    return tuple(how for how in known if how in asked_for)


def _fit_steps(
    config: AblateConfig, plan: LatentPlan, name: str, lacking: Lacking
) -> tuple[tuple[Steps, ...], tuple[StepContext, ...]]:
    """Sets of steps to act at, and what the others hold meanwhile."""
    if not config.at:
        return (None,), ()
    if config.at == ("each",):
        at: tuple[Steps, ...] = tuple((step,) for step in _every(plan))
    else:
        steps = {step for step in config.at if isinstance(step, int)}
        for step in sorted(steps):
            if not 1 <= step <= plan.steps:
                lacking(f"--at {step}: {name} has latent steps 1 to {plan.steps}")
        chosen = tuple(step for step in _every(plan) if step in steps)
        at = (chosen,) if chosen else ()
    contexts = config.context
    if "frozen" in contexts and _every(plan) in at:
        lacking(f"--context frozen: --at names every step of {name}, so no other can be held")
        contexts = tuple(context for context in contexts if context != "frozen")
        at = at if contexts else ()
    return at, contexts


def _every(plan: LatentPlan) -> tuple[int, ...]:
    """All latent steps, counted from 1."""
    return tuple(range(1, plan.steps + 1))


def _fit_picks(
    config: AblateConfig, plan: LatentPlan, name: str, lacking: Lacking
) -> tuple[tuple[int, ...], tuple[SelectionRule, ...]]:
    """Numbers of patches and rules to pick them by that are not what the model does anyway."""
    k, select = config.k_counts, config.select
    if (k or select) and (not plan.has_vision or plan.select == "all"):
        why = "re-inserts every patch" if plan.has_vision else "has no latent vision"
        lacking(f"--k and --select: {name} {why}, so there is nothing to choose")
        return (), ()
    if not select:
        if plan.select == "given" and (other := [n for n in k if n not in (0, plan.k)]):
            lacking(f"--k {other[0]}: {name} is told which {plan.k} to pick, so k is 0 or {plan.k}")
            k = tuple(n for n in k if n not in other)
        return tuple(n for n in k if n != plan.k), ()
    allowed: list[SelectionRule] = []
    for rule in select:
        try:
            made = pick_arms.select_arms(plan, [rule], config.reuse, False, k)
        except UserError as error:  # the plan knows best which rules it can follow
            lacking(f"--select {rule}: {name} cannot do it, since then {error}")
        else:
            allowed += [rule] if made else []
    return k if allowed else (), tuple(allowed)

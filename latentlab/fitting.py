"""Which flags of the ablation apply to a model, and the arms that follow from them.

Models differ in what they have, and one command asks several of them. What a model lacks is told to
the caller, who decides whether that ends the command.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latentlab import arms
from latentlab.data import Examples
from latentlab.errors import UserError
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan
from latentlab.studies import fewest_patches
from latentlab.study import Arm, reference_bank
from latentlab.vocabulary import LatentPart, SelectionRule

if TYPE_CHECKING:  # the command imports this module, late
    from latentlab.ablate import AblateConfig


@dataclass(frozen=True)
class Fitted:
    """What of the flags applies to one model."""

    drop: tuple[LatentPart, ...] = ()
    """Parts to leave out."""

    overwrite: tuple[LatentPart, ...] = ()
    """Parts to overwrite."""

    at: tuple[int, ...] | None = None
    """At which steps, counted from 0; None means all."""

    steps: tuple[int, ...] = ()
    """Numbers of latent steps."""

    k: tuple[int, ...] = ()
    """Numbers of re-inserted patches."""

    select: tuple[SelectionRule, ...] = ()
    """Rules to pick patches by."""

    def __bool__(self) -> bool:
        """Whether anything is left to do."""
        return any((self.drop, self.overwrite, self.steps, self.k, self.select))


def fit(
    config: "AblateConfig", plan: LatentPlan, name: str, lacking: Callable[[str], None]
) -> Fitted:
    """Find out which of the flags apply to a model.

    Args:
        config: the flags.
        plan: the model's plan.
        name: its name, for messages.
        lacking: told, in one line each, what the model does not have.
    """
    if not plan.steps:
        lacking(f"{name} takes no latent steps, so there is nothing to ablate")
        return Fitted()
    has = {"latent_text": plan.text, "latent_vision": plan.has_vision, "latent": True}
    for flag, parts in (("--drop", config.drop), ("--part", config.part)):
        for part in parts:
            if not has[part]:
                lacking(f"{flag} {part}: {name} has none")
    # Both together are asked for even if there is but one, so that models can be compared.
    every: tuple[LatentPart, ...] = ("latent_text", "latent_vision", "latent")
    parts = tuple(part for part in every if has[part])
    drop = config.drop or (() if config.anything else parts)
    overwrite = config.part or (parts if config.replace else ())
    for step in config.at:
        if not 1 <= step <= plan.steps:
            lacking(f"--at {step}: {name} has latent steps 1 to {plan.steps}")
    at = tuple(sorted({step - 1 for step in config.at if 1 <= step <= plan.steps}))
    nowhere = bool(config.at) and not at
    k, select = config.k_counts, config.select
    if (k or select) and (not plan.has_vision or plan.select == "all"):
        why = "re-inserts every patch" if plan.has_vision else "has no latent vision"
        lacking(f"--k and --select: {name} {why}, so there is nothing to choose")
        k, select = (), ()
    if plan.select == "given" and (other := [n for n in k if n not in (0, plan.k)]):
        lacking(f"--k {other[0]}: {name} is told which {plan.k} to pick, so k is 0 or {plan.k}")
        k = tuple(n for n in k if n not in other)
    allowed: list[SelectionRule] = []
    for rule in select:
        try:
            arms.select_arms(plan, [rule], config.reuse, placeholder=False)
        except UserError as error:  # the plan knows best which rules it can follow
            lacking(f"--select {rule}: {name} cannot do it, since then {error}")
        else:
            allowed += [] if arms.picks_by(plan, rule, config.reuse) else [rule]
    return Fitted(
        drop=() if nowhere else tuple(part for part in drop if has[part]),
        overwrite=() if nowhere else tuple(part for part in overwrite if has[part]),
        at=at or None,
        steps=tuple(n for n in config.step_counts if n != plan.steps),
        k=tuple(n for n in k if n != plan.k),
        select=tuple(allowed),
    )


def check_fitted(
    config: "AblateConfig", reasoner: Reasoner, fitted: Fitted, examples: Examples
) -> None:
    """Look for what would only go wrong in the middle of a run.

    Raises:
        UserError: a picture has too few patches, or no traces where they are needed, or there are
            no two examples where another one's latents are asked for.
    """
    if "placeholder" in config.replace and reasoner.placeholder_id is None:
        raise UserError(f"--replace placeholder: {reasoner.name} has no placeholder token")
    if fitted.overwrite and min(len(examples), config.reference) < 2:
        raise UserError("--replace needs at least two examples: a donor is another example")
    plain = [Arm(), *_plain_arms(config, reasoner, fitted)]
    _check_patches(plain, reasoner.plan, *fewest_patches(reasoner, examples))
    # Tokenizing tells whether there are traces to take given picks from, and whether they reach.
    longest = max((reasoner.plan.steps, *fitted.steps))
    reasoner.prompter.batch([examples[0]], reasoner.plan.replace(steps=longest))


def arms_of(
    config: "AblateConfig", reasoner: Reasoner, fitted: Fitted, examples: Examples
) -> list[Arm]:
    """All arms of one model, the untouched one first; runs the reference examples if needed."""
    chosen = [Arm(), *_plain_arms(config, reasoner, fitted)]
    if fitted.overwrite:
        reference = examples[: config.reference]
        chosen += arms.replace_arms(
            reasoner.plan,
            config.replace,
            fitted.overwrite,
            fitted.at,
            reference_bank(reasoner, reference, config.batch_size, config.seed),
            config.sigma,
            fewest_patches(reasoner, reference)[0],
        )
    return list({arm.name: arm for arm in chosen}.values())


def _check_patches(chosen: Iterable[Arm], own: LatentPlan, patches: int, example: str) -> None:
    """Refuse arms that pick more patches than a picture has.

    Args:
        chosen: what is to be run.
        own: the model's plan, for arms without one.
        patches: how many the smallest picture has; 0 if there is none.
        example: whose picture that is.

    Raises:
        UserError: the message names the largest k and the largest number of steps.
    """
    for arm in chosen:
        plan = arm.plan or own
        if not plan.steps or not plan.has_vision:
            continue
        if not patches:
            raise UserError(
                f"example {example} has no picture, but the model re-inserts patches of it; "
                "leave such examples or such models out"
            )
        rounds = 1 if plan.reuse else plan.steps
        if plan.select in ("attention", "random", "bottom") and plan.k * rounds > patches:
            raise UserError(
                f"{plan.k} picks at each of {plan.steps} steps need {plan.k * rounds} patches, but "
                f"the picture of {example} has {patches}: k is at most {patches // rounds} at "
                f"{plan.steps} steps, and there are at most {patches // plan.k} steps at k={plan.k}"
            )


def _plain_arms(config: "AblateConfig", reasoner: Reasoner, fitted: Fitted) -> list[Arm]:
    """The arms that need no reference examples."""
    plan, placeholder = reasoner.plan, reasoner.placeholder_id is not None
    return [
        *arms.drop_arms(fitted.drop, fitted.at, placeholder),
        *arms.step_arms(plan, fitted.steps, placeholder),
        *arms.k_arms(plan, fitted.k, placeholder),
        *arms.select_arms(plan, fitted.select, config.reuse, placeholder),
    ]

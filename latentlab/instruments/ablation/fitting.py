"""Which flags of the ablation apply to a model, and the arms that follow from them.

Models differ in what they have, and one command asks several of them. What a model lacks is told to
the caller, who decides whether that ends the command.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from latentlab.data import Example, Examples
from latentlab.errors import UserError
from latentlab.instruments.ablation import arms, pick_arms
from latentlab.instruments.ablation.arms import Steps
from latentlab.instruments.ablation.evidence import check_evidence
from latentlab.instruments.ablation.materials import gather
from latentlab.instruments.ablation.replace_arms import replace_arms
from latentlab.instruments.ablation.unneeded import unneeded
from latentlab.reasoner import Reasoner
from latentlab.reasoning.donors import Donors
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.rationale import blank_token, write_all
from latentlab.studies import fewest_patches
from latentlab.study import Arm, batches
from latentlab.vocabulary import (
    LatentPart,
    Replacement,
    SelectionRule,
    StepContext,
    WordReplacement,
)

if TYPE_CHECKING:  # the command imports this module, late
    from latentlab.ablate import AblateConfig

Lacking = Callable[[str], None]
"""Told, in one line each, what a model does not have."""

REHEARSED = 8
"""Examples on which a model shows whether it writes a rationale."""


@dataclass(frozen=True)
class Fitted:
    """What of the flags applies to one model."""

    drop: tuple[LatentPart, ...] = ()
    """Parts to leave out."""

    overwrite: tuple[LatentPart, ...] = ()
    """Parts to overwrite."""

    replace: tuple[Replacement, ...] = ()
    """What to overwrite them with."""

    at: tuple[Steps, ...] = (None,)
    """At which steps, one set of arms each; counted from 0, None means all."""

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

    @property
    def in_words(self) -> bool:
        """Whether a rationale is edited."""
        return self.drop_words or bool(self.words)


def fit(config: "AblateConfig", plan: LatentPlan, name: str, lacking: Lacking) -> Fitted:
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
        return Fitted()
    if in_words:
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
        "first": moved == (0,) and len(at) == 1,
    }
    for how in config.replace:
        if idle.get(how):
            lacking(f"--replace {how}: it takes another step of {name} than this to do anything")
    replace = tuple(how for how in config.replace if not idle.get(how))
    if "off_walk" in replace and "latent_vision" not in overwrite:
        lacking(f"--replace off_walk: it is for the re-inserted patches of {name} (latent_vision)")
        replace = tuple(how for how in replace if how != "off_walk")
    k, select = _fit_picks(config, plan, name, lacking)
    return Fitted(
        drop=tuple(part for part in parts if part in drop) if at else (),
        overwrite=tuple(part for part in parts if part in overwrite) if at and replace else (),
        replace=replace,
        at=at,
        contexts=contexts,
        steps=tuple(n for n in config.step_counts if n != plan.steps),
        k=k,
        select=select,
        evidence=config.mask_evidence and not plan.in_words,
    )


def check_fitted(
    config: "AblateConfig",
    reasoner: Reasoner,
    fitted: Fitted,
    examples: Examples,
    lacking: Lacking,
) -> Fitted:
    """Look for what would only go wrong in the middle of a run.

    Returns:
        What applies: nothing where a rationale is to be edited and the model writes none.

    Raises:
        UserError: a picture has too few patches, there are no traces where they are needed, or
            nothing tells which patches are off the walk where these are asked for.
    """
    if fitted.overwrite and "placeholder" in fitted.replace and reasoner.placeholder_id is None:
        raise UserError(f"--replace placeholder: {reasoner.name} has no placeholder token")
    if fitted.evidence:
        check_evidence(config, examples)
    if "off_walk" in fitted.replace and not unneeded(reasoner, examples).patches:
        raise UserError(
            f"--replace off_walk: nothing tells what is off the walk in {config.data}; it takes "
            f"traces, of pictures that {reasoner.name} sees in one patch a cell"
        )
    plain = [Arm(), *_plain_arms(config, reasoner, fitted)]
    _check_patches(plain, reasoner.plan, *fewest_patches(reasoner, examples))
    # Tokenizing tells whether there are traces to take given picks from, and whether they reach.
    longest = max((reasoner.plan.steps, *fitted.steps))
    reasoner.prompter.batch([examples[0]], reasoner.plan.replace(steps=longest))
    if fitted.in_words:
        few = batches(examples[:REHEARSED], REHEARSED)
        if not write_all(reasoner, few, config.seed, config.max_new_tokens).examples:
            lacking(f"rationale: {reasoner.name} writes none before its answer")
            return Fitted()
    return fitted


def arms_of(
    config: "AblateConfig",
    reasoner: Reasoner,
    fitted: Fitted,
    examples: Examples,
    references: Sequence[Example],
) -> list[Arm]:
    """All arms of one model, the untouched one first; runs the reference examples if needed.

    Args:
        config: the flags.
        reasoner: the model.
        fitted: what of the flags applies to it.
        examples: what it is asked.
        references: other examples, for means, deviations and donors (`studies.divide`).
    """
    plan, placeholder = reasoner.plan, reasoner.placeholder_id is not None
    acting: list[Arm] = []
    for at in fitted.at:
        acting += arms.drop_arms(fitted.drop, at, placeholder)
    if fitted.overwrite:
        materials = gather(config, reasoner, fitted.replace, examples, references)
        for at in fitted.at:
            acting += replace_arms(plan, fitted.replace, fitted.overwrite, at, materials)
    chosen = [Arm(), *arms.in_contexts(acting, fitted.contexts, plan)]
    chosen += _plain_arms(config, reasoner, fitted)
    if fitted.in_words:
        rationales = donors = None
        if "other" in fitted.words:
            asked = batches(references, config.batch_size)
            rationales = write_all(reasoner, asked, config.seed, config.max_new_tokens)
            domains = {example.id: example.domain for example in references}
            of_words = {name: domains[name] for name in rationales.examples}
            donors = Donors({example.id: example.domain for example in examples}, of_words)
        blank = blank_token(reasoner)
        chosen += arms.rationale_arms(fitted.drop_words, fitted.words, rationales, donors, blank)
    return arms.repeated({arm.name: arm for arm in chosen}.values(), config.noise_seeds)


def _fit_words(config: "AblateConfig", name: str, lacking: Lacking) -> Fitted:
    """What applies to a model that reasons in words."""
    for flag, asked in (("--drop", config.drop), ("--part", config.part)):
        for part in asked:
            if part != "rationale":
                lacking(f"{flag} {part}: {name} has none")
    if config.at or config.steps or config.k or config.select or config.mask_evidence:
        lacking(f"--at, --steps, --k, --select and --mask-evidence: {name} takes no latent steps")
    known: tuple[WordReplacement, ...] = get_args(WordReplacement)
    asked_for = config.replace if "rationale" in config.part else ()
    for how in asked_for:
        if how not in known:
            lacking(f"--replace {how}: {name} reasons in words, which take {', '.join(known)}")
    words = tuple(how for how in known if how in asked_for)
    return Fitted(drop_words="rationale" in config.drop, words=words)


def _fit_steps(
    config: "AblateConfig", plan: LatentPlan, name: str, lacking: Lacking
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
        chosen = tuple(step for step in _every(plan) if step + 1 in steps)
        at = (chosen,) if chosen else ()
    contexts = config.context
    if "frozen" in contexts and _every(plan) in at:
        lacking(f"--context frozen: --at names every step of {name}, so no other can be held")
        contexts = tuple(context for context in contexts if context != "frozen")
        at = at if contexts else ()
    return at, contexts


def _every(plan: LatentPlan) -> tuple[int, ...]:
    """All latent steps, counted from 0."""
    return tuple(range(plan.steps))


def _fit_picks(
    config: "AblateConfig", plan: LatentPlan, name: str, lacking: Lacking
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
    """The arms that change the plan."""
    plan, placeholder = reasoner.plan, reasoner.placeholder_id is not None
    made = arms.step_arms(plan, fitted.steps, placeholder)
    if fitted.select:
        rules, reuse, k = fitted.select, config.reuse, fitted.k
        return made + pick_arms.select_arms(plan, rules, reuse, placeholder, k)
    return made + pick_arms.k_arms(plan, fitted.k, placeholder)

"""Runs the arms that the flags ask of one model, after a look for what would go wrong."""

from collections.abc import Iterable, Sequence

import pandas as pd

from latentlab.ablate import arms, pick_arms
from latentlab.ablate.applicable import Applicable, applicable
from latentlab.ablate.config import AblateConfig
from latentlab.ablate.evidence import Evidence, check_evidence
from latentlab.ablate.materials import gather
from latentlab.ablate.necessity import with_necessity, with_training
from latentlab.ablate.replace_arms import replace_arms
from latentlab.ablate.unneeded import unneeded
from latentlab.data.example import Example
from latentlab.errors import UserError
from latentlab.methods import own
from latentlab.methods.call import Method
from latentlab.reasoner import Reasoner
from latentlab.reasoning.donors import Donors
from latentlab.reasoning.plan import LatentPlan
from latentlab.study.arms import Arm
from latentlab.study.by_method import own_method
from latentlab.study.instrument import Subject
from latentlab.study.picks import fewest_patches
from latentlab.study.rationale import Rationales, blank_token
from latentlab.study.rationale_run import write_all
from latentlab.study.run import run_arms
from latentlab.study.written import run_written, write_down_all, writes_anything


def prepare(config: AblateConfig, subject: Subject) -> Applicable | None:
    """Find out what of the flags applies, and look for what would go wrong in the middle of a run.

    A model that none applies to is run untouched beside others, and not at all where it is alone.

    Raises:
        UserError: a picture has too few patches, there are no traces where they are needed, or
            nothing tells which patches are off the walk where these are asked for.
    """
    reasoner, examples = subject.reasoner, subject.examples
    asked = config.asked_of(reasoner.brings_plan)
    found = applicable(asked, reasoner.plan, reasoner.name, subject.lacks)
    if found.overwrite and "placeholder" in found.replace and reasoner.placeholder_id is None:
        raise UserError(f"--replace placeholder: {reasoner.name} has no placeholder token")
    if found.evidence:
        check_evidence(config, examples)
    if "off_walk" in found.replace and not unneeded(reasoner, examples).patches:
        lacking = f"--replace off_walk: nothing tells what is off the walk in {config.data}"
        found = found.without("off_walk")
        if not found:  # no arm is left that could be run without traces
            raise UserError(
                f"{lacking}; it takes traces, of pictures that {reasoner.name} sees in one patch "
                "a cell"
            )
        subject.tell(f"{lacking}; passed over")
    plain = [Arm(), *_plain_arms(config, reasoner, found)]
    _check_patches(plain, reasoner.plan, *fewest_patches(reasoner, examples))
    # Tokenizing tells whether there are traces to take given picks from, and whether they reach.
    longest = max((reasoner.plan.steps, *found.steps))
    reasoner.prompter.batch([examples[0]], reasoner.plan.replace(steps=longest))
    lacking = f"rationale: {reasoner.name} writes none before its answer"
    rehearsed = _method(reasoner), config.seed, config.max_new_tokens
    if found.in_words and not writes_anything(subject, *rehearsed, lacking):
        found = Applicable()
    return found if found or _others_ablated(config, subject) else None


def rows_of(config: AblateConfig, subject: Subject, found: Applicable) -> pd.DataFrame:
    """Run every arm; rows are those of `study.run.run_arms`, with `FACTS` and `necessity`'s."""
    reasoner, examples = subject.reasoner, subject.examples
    chosen = arms_of(config, subject, found)
    evidence = Evidence.of(config, reasoner, examples) if found.evidence else None
    method, size, longest = _method(reasoner), config.batch_size, config.max_new_tokens
    written = [arm for arm in chosen if arm.rationale is not None and method is not None]
    others = [arm for arm in chosen if arm not in written]
    others += evidence.arms if evidence else ()
    frames = []
    if others[1:] or not written:
        frames.append(
            run_arms(
                reasoner,
                examples,
                others,
                config.data,
                size,
                config.seed,
                longest,
                # A model without latent steps has nothing that could be written out instead.
                at_once=config.answer == "at_once" and reasoner.plan.steps > 0,
            )
        )
    if written and method is not None:
        alone = [] if frames else [Arm()]
        arms_of_words = [*alone, *written]
        frames.append(
            run_written(
                reasoner, method, examples, arms_of_words, config.data, size, config.seed, longest
            )
        )
    rows = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    labelled = with_necessity(evidence.described(rows) if evidence else rows)
    return with_training(labelled, reasoner.met_placeholder)


def arms_of(config: AblateConfig, subject: Subject, found: Applicable) -> list[Arm]:
    """All arms of one model, the untouched one first; runs the reference examples if needed.

    Args:
        config: the flags.
        subject: the model and what it is asked.
        found: what of the flags applies to it.
    """
    reasoner, examples, references = subject.reasoner, subject.examples, subject.references
    plan, placeholder = reasoner.plan, reasoner.placeholder_id is not None
    acting: list[Arm] = []
    for at in found.at:
        acting += arms.drop_arms(found.drop, at, placeholder)
    if found.overwrite:
        materials = gather(config, reasoner, found.replace, examples, references)
        for at in found.at:
            acting += replace_arms(plan, found.replace, found.overwrite, at, materials)
    chosen = [Arm(), *arms.in_contexts(acting, found.contexts, plan)]
    chosen += _plain_arms(config, reasoner, found)
    if found.in_words:
        rationales = donors = None
        if "other" in found.words:
            rationales = _written(config, reasoner, references)
            lending = {example.id: _group(reasoner, example) for example in references}
            of_words = {name: lending[name] for name in rationales.examples}
            wanting = {example.id: _group(reasoner, example) for example in examples}
            donors = Donors(wanting, of_words)
        blank = blank_token(reasoner)
        chosen += arms.rationale_arms(found.drop_words, found.words, rationales, donors, blank)
    return arms.repeated({arm.name: arm for arm in chosen}.values(), config.noise_seeds)


def _written(config: AblateConfig, reasoner: Reasoner, examples: Sequence[Example]) -> Rationales:
    """What a model writes before its answers, where it writes anything."""
    size, seed, longest = config.batch_size, config.seed, config.max_new_tokens
    if (method := _method(reasoner)) is not None:
        return write_down_all(reasoner, method, examples, size, seed, longest).rationales.written
    return write_all(reasoner, examples, size, seed, longest)


def _group(reasoner: Reasoner, example: Example) -> str:
    """Whose words can be lent to an example: a method's looks are as many as its hops."""
    hops = f", {example.hops} hops" if _method(reasoner) is not None else ""
    return f"{example.domain}{hops}"


def _method(reasoner: Reasoner) -> Method | None:
    """The method by which a model writes; None where its words are one rationale after the prompt.

    Then `study.run` edits them on the way, whatever else is done to the model.
    """
    return own_method(reasoner) or (own.METHOD if reasoner.plan.in_words else None)


def _others_ablated(config: AblateConfig, subject: Subject) -> bool:
    """Whether something is done to another model of the run; this one's answers stand beside it."""
    others = [model for model in subject.models.values() if model is not subject.reasoner]
    return any(
        applicable(config.asked_of(model.brings_plan), model.plan, model.name, lambda _: None)
        for model in others
    )


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


def _plain_arms(config: AblateConfig, reasoner: Reasoner, found: Applicable) -> list[Arm]:
    """The arms that change the plan."""
    plan, placeholder = reasoner.plan, reasoner.placeholder_id is not None
    made = arms.step_arms(plan, found.steps, placeholder)
    if found.select:
        rules, reuse, k = found.select, config.reuse, found.k
        return made + pick_arms.select_arms(plan, rules, reuse, placeholder, k)
    return made + pick_arms.k_arms(plan, found.k, placeholder)

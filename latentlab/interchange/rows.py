"""Runs interchanges on one model: every part, set of steps and donor rule, as tidy rows.

An interchange is an ordinary arm that replaces latents by recorded ones, so everything is run by
`study.run.run_arms`. Added here is who donates to whom, and which answer that makes one expect.
"""

from collections import Counter
from collections.abc import Callable, Sequence

import pandas as pd

from latentlab.data import Example, Examples
from latentlab.data.pairs import Pairs, expected_answer, match
from latentlab.errors import UserError
from latentlab.interchange import counterfactual
from latentlab.interchange.config import InterchangeConfig
from latentlab.interchange.donors import TREATMENT, check_donors
from latentlab.interchange.edits import DONOR, check_edits
from latentlab.interchange.exchanges import Swap, ask, parts_of, swaps_of
from latentlab.interchange.summary import with_interchange
from latentlab.measures.outcomes import NONE
from latentlab.reasoner import Reasoner
from latentlab.reasoning.bank import Bank
from latentlab.reasoning.interventions import Replace
from latentlab.reasoning.sources import Given
from latentlab.study.arms import Arm
from latentlab.study.instrument import Subject
from latentlab.study.picks import fewest_patches
from latentlab.study.references import reference_bank
from latentlab.study.steps import one_call
from latentlab.vocabulary import CONTROL, INTERCHANGE, DonorRule


def prepare(config: InterchangeConfig, subject: Subject) -> list[Swap] | None:
    """See what a model has to exchange, and which donors the data have.

    Raises:
        UserError: a picture is missing, has too few patches or not the size that an exchange needs,
            there are no traces where picks are read off them, or the data have none of the donors.
    """
    reasoner, examples = subject.reasoner, subject.examples
    plan, name = reasoner.plan, reasoner.name
    if not one_call(subject, "exchanges"):
        return None
    if not plan.steps:
        subject.lacks(f"{name} takes no latent steps, so there is nothing to exchange")
        return None
    parts = parts_of(config, plan)
    for part in config.part:
        if part not in parts:
            subject.lacks(f"--part {part}: {name} has none")
    if plan.has_vision:
        patches, example = fewest_patches(reasoner, examples)
        needed = plan.k * (1 if plan.reuse or plan.select == "given" else plan.steps)
        if patches < max(needed, 1):
            raise UserError(
                f"example {example} has {patches} patches, but {name} re-inserts "
                f"{needed or 'every one'}; leave such examples or such models out"
            )
        sizes = {example.image.size for example in examples if example.image is not None}
        if plan.select == "all" and len(sizes) > 1:
            raise UserError(
                f"{name} re-inserts every patch, so pictures of several sizes cannot exchange them"
            )
    reasoner.prompter.batch([examples[0]], plan)  # tells whether there are traces for given picks
    if subject.first:  # donors are a matter of the data alone
        check_data(config, examples, subject.tell)
    return swaps_of(config, plan) or None


def check_data(config: InterchangeConfig, examples: Examples, tell: Callable[[str], None]) -> None:
    """See which donors the data have.

    Raises:
        UserError: none of those asked for.
    """

    def lacking(message: str) -> None:
        if not config.rules:
            raise UserError(message)
        tell(f"{message}; passed over")

    if config.rules:
        check_donors(config.rules, examples, config.seed, tell)
    if DONOR in config.donor:
        check_edits(config, examples, tell, lacking)


def rows_of(config: InterchangeConfig, subject: Subject, swaps: Sequence[Swap]) -> pd.DataFrame:
    """Run every exchange from every donor on one model.

    Returns:
        One row per pair and exchange, and one of the untouched recipient: what `study.run.run_arms`
        returns, `donor` (the rule), `donor_example` and `donor_uses` (how many recipients have
        it), `part`, `steps`, `step_set`, the options (`choices`), `own_answer`, `donor_answer`,
        `donor_shown` (whether the recipient's picture shows that object; missing without traces),
        `expected_answer`, `donor_correct`, and what `with_interchange` adds. Rows of
        counterfactual donors also have `hop`, `patches`, `sham`, `change_norm` and
        `needed_cell_picked` (`counterfactual.rows_of`). Empty without any donor.
    """
    reasoner, examples = subject.reasoner, subject.examples
    matched = [(rule, match(rule, examples, config.seed)) for rule in config.rules]
    frames = [_rows(config, reasoner, rule, pairs, swaps) for rule, pairs in matched if len(pairs)]
    if DONOR in config.donor:
        frames += counterfactual.rows_of(config, reasoner, examples, swaps)
    return with_interchange(pd.concat(frames, ignore_index=True)) if frames else pd.DataFrame()


def _rows(
    config: InterchangeConfig,
    reasoner: Reasoner,
    rule: DonorRule,
    pairs: Pairs,
    swaps: Sequence[Swap],
) -> pd.DataFrame:
    """The rows of one donor rule: donors undisturbed first, then recipients on their latents."""
    size, seed = config.batch_size, config.seed
    bank = reference_bank(reasoner, pairs.donors, size, seed)
    # Under its own name every recipient finds its donor's latents.
    names = tuple(recipient.id for recipient in pairs.recipients)
    source = Given(Bank(names, bank.text, bank.vision))
    kind = INTERCHANGE if rule == TREATMENT else CONTROL
    arms = [
        Arm(
            "interchange",
            swap.part,
            swap.steps,
            rule,
            label=_name(rule, swap),
            kind=kind,
            interventions=(Replace(swap.part, source, swap.steps),),
        )
        for swap in swaps
    ]

    rows = ask(config, reasoner, pairs.recipients, Arm(), *arms)
    donors = ask(config, reasoner, pairs.donors, Arm())
    lent = {recipient.id: donor.id for recipient, donor in pairs}
    uses = Counter(lent.values())
    facts = [
        {**_pair(rule, *pair), "donor_uses": uses[pair[1].id], "donor_correct": correct, **arm}
        for pair, correct in zip(pairs, donors["correct"], strict=True)
        for arm in _arms(rule, *pair, swaps)
    ]
    found = pd.DataFrame(facts).astype({"expected_answer": "str", "donor_shown": "boolean"})
    # What only counterfactual donors have.
    found = found.assign(hop=None, needed_cell_picked=None, change_norm=float("nan"))
    found = found.assign(patches="", sham="").astype(counterfactual.TYPES)
    # Pairs that were given one donor are right or wrong together, as those that show one scan.
    rows["cluster"] = [
        [*labels, f"donor {name}"]
        for labels, name in zip(rows["cluster"], rows["example"].map(lent), strict=True)
    ]
    return rows.merge(found, on=["example", "intervention"], validate="one_to_one")


def _pair(rule: DonorRule, recipient: Example, donor: Example) -> dict[str, object]:
    """What all rows of a pair say of it."""
    return {
        "example": recipient.id,
        "donor": rule,
        "donor_example": donor.id,
        "choices": list(recipient.choices),
        "own_answer": recipient.answer,
        "donor_answer": donor.answer,
        "donor_shown": recipient.trace and donor.answer in recipient.trace.objects,
    }


def _arms(
    rule: DonorRule, recipient: Example, donor: Example, swaps: Sequence[Swap]
) -> list[dict[str, str | None]]:
    """What the rows of a pair say of their arms, the untouched one first."""
    untouched: dict[str, str | None] = {"intervention": NONE, "expected_answer": None}
    untouched |= {"step_set": ""}
    return [
        untouched,
        *(
            {
                "intervention": _name(rule, swap),
                "expected_answer": expected_answer(recipient, donor, swap.steps[-1]),
                "step_set": swap.step_set,
            }
            for swap in swaps
        ),
    ]


def _name(rule: DonorRule, swap: Swap) -> str:
    """An exchange as tables name it."""
    return f"{rule} {swap.part} at {swap.at}"

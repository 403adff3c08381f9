"""What replacements are made of: reference rollouts, donors, and what the prompts do not need.

References are never among the examples that are evaluated. What data do not tell is said in a line,
since the controls then show less.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from latentlab.ablate.config import AblateConfig
from latentlab.ablate.unneeded import Unneeded, unneeded
from latentlab.console import note_once
from latentlab.data import Example
from latentlab.reasoner import Reasoner
from latentlab.reasoning.bank import Bank
from latentlab.reasoning.donors import Donors
from latentlab.study.references import reference_bank
from latentlab.vocabulary import Replacement

REFERRING: frozenset[Replacement] = frozenset(
    ("mean", "constant", "noise", "matched_noise", "other", "other_any")
)
"""Replacements that are made of reference examples."""

ANYWHERE = "on any prompt positions"
"""The weaker control on the prompt, for data that do not tell what is needed."""


@dataclass(frozen=True)
class Materials:
    """What replacements are made of."""

    bank: Bank
    """Reference rollouts, for means, deviations and donors; empty where nothing refers to them."""

    donors: Donors
    """Who lends to whom, by domain."""

    unneeded: Unneeded
    """What the prompts do not need."""

    sigmas: Sequence[float] = (1.0,)
    """Strengths of the noise that is added."""

    keep_norm: bool = False
    """Whether added noise leaves the norm as it was."""


def gather(
    config: AblateConfig,
    reasoner: Reasoner,
    replacements: Iterable[Replacement],
    examples: Sequence[Example],
    references: Sequence[Example],
) -> Materials:
    """Gather what one model's replacements are made of.

    Args:
        config: the flags.
        reasoner: the model.
        replacements: what it will be given.
        examples: what it is asked.
        references: other examples; they are run only if a replacement refers to them.
    """
    asked = set(replacements)
    spared = unneeded(reasoner, examples)
    plan, data = reasoner.plan, config.data
    missing = ["words"] if plan.has_text and not spared.words else []
    missing += ["patches"] if plan.has_vision and not spared.image else []
    if missing:
        note_once(
            f"{reasoner.name}: nothing tells which {' and '.join(missing)} the questions of {data} "
            f"do not need, so there is only the weaker control, {ANYWHERE}"
        )
    domains = {example.id: example.domain for example in references}
    if "other" in asked and not any(domains.values()):
        note_once(f"{data} has no domains, so the donors of --replace other are any other examples")
    bank = Bank((), None, None)
    if asked & REFERRING:
        words = unneeded(reasoner, references).words if spared.words else None
        bank = reference_bank(reasoner, references, config.batch_size, config.seed, words)
    donors = Donors({example.id: example.domain for example in examples}, domains)
    return Materials(bank, donors, spared, config.sigma, config.keep_norm)

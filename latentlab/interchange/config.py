"""Interchange interventions: whose answer does a model give on another question's latents?

    python -m latentlab.interchange
    python -m latentlab.interchange --model relay --steps each --donor same_image self
    python -m latentlab.interchange --model ivtlr --part latent_vision --limit 400
    python -m latentlab.interchange --model ivtlr --donor counterfactual --hop 4

A recipient keeps its prompt, picture and options; the latents of some steps are those of a donor,
or, of a model that reasons in words, all that it writes before its answer.
Donors ask about the same picture from another start, so that the answer to expect is known; every
other donor is a control. A counterfactual donor is the question itself on a picture in which one
mark was changed (docs/interchange.md).
"""

from dataclasses import dataclass
from typing import get_args

from latentlab.command import CommonConfig
from latentlab.errors import UserError
from latentlab.vocabulary import AnswerMode, Donor, DonorRule, LatentPart, StepContext, StepSets


@dataclass(frozen=True, kw_only=True)
class InterchangeConfig(CommonConfig):
    """Flags of `python -m latentlab.interchange`."""

    model: tuple[str, ...] = ("ivtlr", "relay", "gaze")
    """Models, each the name of an embedded organism, the folder of a checkpoint or a hub name."""

    limit: int = 200
    """Number of examples at most."""

    donor: tuple[Donor, ...] = get_args(DonorRule)
    """Whose latents are put in: same_image (asked from another start), unrelated (another picture,
    another answer), same_answer (another picture, the same answer), self (the sham), or
    counterfactual (the same question on the picture with one mark changed)."""

    hop: tuple[int, ...] = ()
    """Of counterfactual donors, the hops whose mark is changed, counted from 1; by default the last
    of each question."""

    context: StepContext = "frozen"
    """Of counterfactual donors, what latents that are not exchanged hold: frozen, their own
    undisturbed values, or remade from what they now see."""

    part: tuple[LatentPart, ...] = ()
    """What is exchanged; by default each part that a model has, and both together."""

    steps: tuple[StepSets, ...] = get_args(StepSets)
    """At which latent steps: each one alone (each), steps 1 to t (cumulative), all of them."""

    answer: AnswerMode = "at_once"
    """at_once: the answer must follow the latent steps, so that nothing can be written out in words
    that the latents were to hold; free: the model writes what it likes."""

    max_new_tokens: int = 64
    """Tokens of an answer at most."""

    def __post_init__(self) -> None:
        """Refuse flags that leave nothing to do, and donors that do not exist."""
        super().__post_init__()
        for flag, values in (("--donor", self.donor), ("--steps", self.steps)):
            if not values:
                raise UserError(f"{flag} names nothing: give at least one")
            if len(set(values)) < len(values):
                raise UserError(f"{flag} names one thing twice: {' '.join(values)}")
        if self.max_new_tokens < 1:
            raise UserError(f"--max-new-tokens {self.max_new_tokens} is too small: at least 1")
        for rule in self.donor:
            if rule not in get_args(Donor):
                known = ", ".join(get_args(Donor))
                raise UserError(f"--donor {rule} is no donor rule; the rules are {known}")
        for flag, given in (("--hop", self.hop), ("--context", self.context != "frozen")):
            if given and "counterfactual" not in self.donor:
                raise UserError(f"{flag} goes with --donor counterfactual, which was not given")
        if any(hop < 1 for hop in self.hop) or len(set(self.hop)) < len(self.hop):
            raise UserError("--hop takes hops from 1 on, each once")

    @property
    def rules(self) -> tuple[DonorRule, ...]:
        """The donors that are other questions, or the question itself as a sham."""
        return tuple(rule for rule in get_args(DonorRule) if rule in self.donor)

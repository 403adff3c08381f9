"""Ablate latents at inference: what does the answer lose without them?

    python -m latentlab.ablate --drop latent_vision
    python -m latentlab.ablate --drop latent_text latent --replace noise other --model relay gaze
    python -m latentlab.ablate --drop latent_text --at each --context remade frozen
    python -m latentlab.ablate --steps 0..3
    python -m latentlab.ablate --select attention random bottom --k 1..4 --reuse
    python -m latentlab.ablate --mask-evidence
    python -m latentlab.ablate --model cot --replace other permute first --part rationale

Every arm is a knock-out on fixed weights and comes with its matched control; differences are
paired by example. Without any of these flags, each part of the latents is dropped in turn.
"""

import dataclasses
import re
from dataclasses import dataclass
from typing import Literal

from latentlab.command import CommonConfig
from latentlab.errors import UserError
from latentlab.vocabulary import (
    AblatedPart,
    AnswerMode,
    Replacement,
    SelectionRule,
    StepContext,
)

REFERENCE = 256
"""Examples that give means, deviations and donors, unless told otherwise."""

NECESSITY = "necessity.csv"
"""File of --list-necessary, beside the results."""


@dataclass(frozen=True, kw_only=True)
class AblateConfig(CommonConfig):
    """Flags of `python -m latentlab.ablate`."""

    drop: tuple[AblatedPart, ...] = ()
    """Parts to leave out: latent_text, latent_vision, latent for both, or, of a model that reasons
    in words, its rationale."""

    replace: tuple[Replacement, ...] = ()
    """What to put there instead: zero, mean, constant, noise (added to what is there),
    matched_noise (moments of the slot), unit_noise (standard normal), norm_matched (a random
    direction, each vector's own norm), other (another example's of the same domain), other_any (of
    any domain), off_walk (patches of the same picture that the question does not need), permute
    (other steps at random), reverse, first (what the first step held) or placeholder."""

    part: tuple[AblatedPart, ...] = ()
    """Parts that --replace overwrites; by default each part of its latents that a model has, and
    both together. The rationale is edited after it was written."""

    sigma: tuple[float, ...] = (1.0,)
    """Strengths of the noise that is added, in standard deviations of each slot."""

    keep_norm: bool = False
    """Scale each vector back to its norm after adding noise."""

    noise_seeds: int = 1
    """How often to draw whatever is random (noise, donors, random orders, picks and prompt
    positions), each time with another seed. An example counts once, with its mean over seeds."""

    at: tuple[int | Literal["each"], ...] = ()
    """Latent steps at which --drop and --replace act, counted from 1; by default all. Several are
    acted on together; "each" acts on every step alone."""

    context: tuple[StepContext, ...] = ("remade",)
    """What the other steps hold under --at: remade, latents made anew from what they now see;
    frozen, the example's own undisturbed ones. With both the arms stand side by side."""

    steps: str = ""
    """Numbers of latent steps to try, e.g. 0..4 or 1,3. One number is the plan of a model that
    brings none, without --plan; so is one number of patches."""

    k: str = ""
    """Numbers of re-inserted patches to try, e.g. 0..5; with --select, for each of its rules."""

    select: tuple[SelectionRule, ...] = ()
    """Rules to pick patches by: attention, random, bottom (least attended), all, none."""

    reuse: bool = False
    """Try each rule of --select also with patches that may be picked again at a later step."""

    mask_evidence: bool = False
    """Blank the cell that a hop needs in the picture, and see whether latents made on the whole
    picture supply it: put back, empty, or another question's (docs/controls.md)."""

    hop: int | None = None
    """The hop whose cell --mask-evidence blanks, counted from 1; by default each question's
    last."""

    reference: int = REFERENCE
    """Examples at most whose undisturbed latents give means, deviations and donors; none of them is
    evaluated."""

    list_necessary: bool = False
    """Write necessity.csv: which questions are right with latents only, which without them only."""

    answer: AnswerMode = "at_once"
    """at_once: the answer must follow the latent steps, so that nothing can be written out in words
    that the latents were to hold; free: the model writes what it likes."""

    max_new_tokens: int = 64
    """Tokens of an answer at most, a written rationale among them."""

    def __post_init__(self) -> None:
        """Refuse flags that contradict each other."""
        super().__post_init__()
        noise, writes = "--replace noise", "--drop, or --replace placeholder"
        acts = self.drop or self.replace or not self.anything
        empties = self.drop or "placeholder" in self.replace or not self.anything
        for flag, given, goes_with, there in (
            ("--at", self.at, "--drop or --replace", acts),
            ("--context", self.context != ("remade",), "--at", self.at),
            ("--part", self.part, "--replace", self.replace),
            ("--sigma", self.sigma != (1.0,), noise, "noise" in self.replace),
            ("--keep-norm", self.keep_norm, noise, "noise" in self.replace),
            ("--hop", self.hop is not None, "--mask-evidence", self.mask_evidence),
            ("--reference", self.reference != REFERENCE, "--replace", self.replace),
            ("--reuse", self.reuse, "--select attention, random or bottom", self._picking),
            ("--list-necessary", self.list_necessary, writes, empties),
        ):
            if given and not there:
                raise UserError(f"{flag} goes with {goes_with}, which was not given")
        if "each" in self.at and len(self.at) > 1:
            raise UserError("--at each stands alone: it acts on every step")
        if not self.context:
            raise UserError("--context names nothing: give remade, frozen or both")
        if any(not 0 <= sigma < float("inf") for sigma in self.sigma) or not self.sigma:
            raise UserError("--sigma needs numbers from 0")
        if self.noise_seeds > MOST_NUMBERS:
            raise UserError(f"--noise-seeds is too large: it is at most {MOST_NUMBERS}")
        for flag, value, least in (
            ("--reference", self.reference, 2),
            ("--noise-seeds", self.noise_seeds, 1),
            ("--max-new-tokens", self.max_new_tokens, 1),
            ("--hop", 1 if self.hop is None else self.hop, 1),
        ):
            if value < least:
                raise UserError(f"{flag} {value} is too small: it is at least {least}")
        for text, flag in ((self.steps, "--steps"), (self.k, "--k")):
            numbers(text, flag)

    @property
    def spare_plan(self) -> str:
        """Plan of models that bring none: single numbers of steps and of patches."""
        if self.plan:
            return ""
        named = (("steps", self.steps), ("k", self.k))
        return ",".join(f"{name}={number}" for name, number in named if number.isdecimal())

    def asked_of(self, brings_plan: bool) -> "AblateConfig":
        """The flags as they are meant for a model: what is its plan is no number to try."""
        if brings_plan or not self.spare_plan:
            return self
        steps, k = ("" if number.isdecimal() else number for number in (self.steps, self.k))
        return dataclasses.replace(self, steps=steps, k=k)

    @property
    def step_counts(self) -> tuple[int, ...]:
        """What --steps asks for."""
        return numbers(self.steps, "--steps")

    @property
    def k_counts(self) -> tuple[int, ...]:
        """What --k asks for."""
        return numbers(self.k, "--k")

    @property
    def anything(self) -> bool:
        """Whether any arm was asked for."""
        arms = (self.drop, self.replace, self.steps, self.k, self.select, self.mask_evidence)
        return any(arms)

    @property
    def _picking(self) -> bool:
        return bool({"attention", "random", "bottom"} & set(self.select))


MOST_NUMBERS = 1000
"""Numbers that one flag gives at most; each is an arm of its own."""


def numbers(text: str, flag: str) -> tuple[int, ...]:
    """Read "0..3" or "0,2,3" as whole numbers.

    Raises:
        UserError: the text is neither.
    """
    if not text:
        return ()
    if match := re.fullmatch(r"(\d{1,9})\.\.(\d{1,9})", text):
        first, last = int(match[1]), int(match[2])
        if last - first >= MOST_NUMBERS:
            raise UserError(f"{flag} {text} is more than {MOST_NUMBERS} numbers to try")
        if first <= last:
            return tuple(range(first, last + 1))
    elif re.fullmatch(r"\d{1,9}(,\d{1,9})*", text):
        return tuple(dict.fromkeys(int(part) for part in text.split(",")))
    raise UserError(f"{flag} {text[:60]} is not understood; write a range 0..3 or a list 0,2,3")

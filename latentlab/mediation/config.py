"""Causal mediation: how much of what the input does to the answer runs through the latents?

    python -m latentlab.mediation
    python -m latentlab.mediation --model ivtlr --perturb mask_needed --hop 2 --steps all each
    python -m latentlab.mediation --data mine --perturb other_image noise --strength 0 0.25 0.5 1

The input is perturbed and the latents are taken from one input or the other, which splits its
effect on the answer into a direct and an indirect one (docs/mediation.md). It also tells how far
each latent moves. The zero perturbation is always run along, as the sham.
"""

from dataclasses import dataclass

from latentlab.command import CommonConfig
from latentlab.errors import UserError
from latentlab.vocabulary import LatentPart, MediatorName, PerturbationName, StepSets

STRENGTH = (0.5,)
"""Strengths of the noise, unless told otherwise."""


@dataclass(frozen=True, kw_only=True)
class MediationConfig(CommonConfig):
    """Flags of `python -m latentlab.mediation`."""

    model: tuple[str, ...] = ("ivtlr", "relay", "gaze")
    """Models, each the name of an embedded organism, the folder of a checkpoint or a hub name."""

    limit: int = 200
    """Number of examples at most."""

    perturb: tuple[PerturbationName, ...] = (
        "other_image",
        "blank",
        "noise",
        "mask_needed",
        "mask_other",
        "relink",
        "restart",
    )
    """What to do to the input. To the picture: other_image (another example's), blank, noise,
    shuffle (its patches), mask_needed (the cell that a hop has to read), mask_other (a cell off the
    walk), relink (one mark names another object). To the question: restart (another start),
    shuffle_words."""

    hop: tuple[int, ...] = ()
    """Hops that mask_needed and relink act on, counted from 1; by default every hop on its own."""

    strength: tuple[float, ...] = STRENGTH
    """Shares of noise in the mixture with the picture, from 0 to 1."""

    mediator: tuple[MediatorName, ...] = ("latents", "slots")
    """What is taken from the other input: latents, the vectors that the steps append, or slots, all
    that happens at their positions."""

    part: tuple[LatentPart, ...] = ()
    """Parts of the latents that are taken; by default each that a model has, and both together."""

    steps: tuple[StepSets, ...] = ("all",)
    """Latent steps that are taken: all together, each alone, or cumulative (1, 1 to 2, ...)."""

    reference: int = 256
    """Examples at most that the mean and the spread of each latent are measured on; none of them is
    evaluated."""

    def __post_init__(self) -> None:
        """Refuse flags that contradict each other."""
        super().__post_init__()
        for flag, values in (
            ("--perturb", self.perturb),
            ("--strength", self.strength),
            ("--mediator", self.mediator),
            ("--steps", self.steps),
        ):
            if not values:
                raise UserError(f"{flag} names nothing: give at least one")
        if self.hop and not {"mask_needed", "relink"} & set(self.perturb):
            raise UserError("--hop goes with --perturb mask_needed or relink, which was not given")
        if self.strength != STRENGTH and "noise" not in self.perturb:
            raise UserError("--strength goes with --perturb noise, which was not given")
        if any(hop < 1 for hop in self.hop):
            raise UserError("--hop counts from 1")
        if not all(0 <= strength <= 1 for strength in self.strength):
            raise UserError("--strength needs numbers from 0 to 1")
        if self.reference < 2:
            raise UserError(f"--reference {self.reference} is too small: it is at least 2")

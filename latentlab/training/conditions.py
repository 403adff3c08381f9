"""What a batch of a training is made to do without, so that a model learns what it is to rely on.

A plan says what the finished model sees. A condition takes something away from one batch: its own
latents, the picture, or what its patches show. A model trained under conditions can do without what
was taken, and knows how to use what was left. Organisms owe to this whether their latents matter
although everything is visible (docs/organisms.md).
"""

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Bool
from torch import Tensor

from latentlab.reasoning.interventions import Intervention, Replace
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.sources import Context, Placeholder
from latentlab.reasoning.trajectory import Latent

Condition = Literal["own", "exchanged", "hidden", "emptied"]
"""own: nothing is taken. exchanged: the answer follows another example's latents. hidden: nobody
sees the picture but through re-inserted patches. emptied: re-inserted patches show nothing."""

HIDDEN = (("prompt", "image"), ("latent", "image"), ("answer", "image"))
"""Pairs that leave re-inserted patches as the only sight of the picture."""


@dataclass(frozen=True)
class LatentExchange:
    """Each example gets the latents of another one of its batch."""

    order: tuple[int, ...]
    """Whose latents each example gets."""

    def edit(self, latent: Latent, step: int, context: Context) -> Latent:
        """Hand both parts on; which patches were picked stays as it was."""
        order = list(self.order)
        text = None if latent.text is None else latent.text[order]
        vision = None if latent.vision is None else latent.vision[order]
        return latent.replace(text=text, vision=vision)


def plan_under(plan: LatentPlan, condition: Condition) -> LatentPlan:
    """The plan that a batch follows under a condition."""
    if condition != "hidden":
        return plan
    return plan.replace(blocked=tuple(dict.fromkeys((*plan.blocked, *HIDDEN))))


def interventions_under(
    condition: Condition, at_once: Bool[Tensor, " batch"]
) -> tuple[Intervention, ...]:
    """What is done to a batch's latents under a condition.

    Args:
        condition: the condition.
        at_once: which examples have nothing but their answer left to write. Only these exchange
            their latents: words that follow a latent need its content, and train it.
    """
    if condition == "emptied":
        return (Replace("latent_vision", Placeholder()),)
    if condition == "exchanged":
        order = list(range(len(at_once)))
        ready = at_once.nonzero().flatten().tolist()
        for receiver, giver in zip(ready, ready[1:] + ready[:1], strict=True):
            order[receiver] = giver
        return (LatentExchange(tuple(order)),)
    return ()
